// Real threads on real atomics: three writers and one reader that sleep whenever they can. TSAN
// watches the bodies, which are plain memory, and with them every release and acquire of ring and
// doorbell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "shm/ring.h"
#include "shm/waking.h"

namespace thornback::shm {
namespace {

constexpr uint64_t kCapacity = 1024;
constexpr uint32_t kWriters = 3;
constexpr uint32_t kFramesEach = 20'000;

// Endpoint 0 reads, the others write.
struct Node {
  alignas(4096) std::array<std::byte, kNodeBoardBytes> board_memory;
  alignas(4096) std::array<std::byte, kEndpointRecordBytes> record_memory[kWriters + 1];
  RingHeader headers[kWriters + 1];
  alignas(8) std::byte data[kWriters + 1][kCapacity];
  NodeBoard* board = NodeBoard::create(board_memory.data(), 2, 0);
  EndpointRecord* records[kWriters + 1];
  UniqueFd poll_fd{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};

  Node() {
    for (uint32_t index = 0; index <= kWriters; ++index) {
      records[index] = EndpointRecord::create(record_memory[index].data(), index, 0);
    }
  }
};

void write_frames(Node& node, uint32_t writer) {
  Sleeper sleeper(*node.records[writer], *node.board, writer);
  RingProducer<> producer(&node.headers[writer], node.data[writer], kCapacity);
  const WakeTargets reader{node.records[0], node.poll_fd.get(), -1};
  const auto flush = [&] {
    if (producer.publish()) ring_and_wake(reader, writer);
  };
  for (uint32_t number = 0; number < kFramesEach; ++number) {
    const uint32_t size = number % static_cast<uint32_t>(producer.frame_bytes_max() + 1);
    std::byte* body = nullptr;
    while ((body = producer.claim(size, static_cast<uint16_t>(number), 0)) == nullptr) {
      flush();
      node.records[writer]->wake.doorbell.take([](uint32_t) {});
      if (producer.wait_for_room(size)) continue;
      if (sleeper.prepare(WakeState::kParkedFutex)) sleeper.sleep_on_futex(-1);
    }
    std::memset(body, static_cast<int>(number), size);
    if (number % 3 == 0) flush();
  }
  flush();
}

void sleep_one_way_or_the_other(Node& node, Sleeper& sleeper, uint32_t turn) {
  if (turn % 2 == 0) {
    if (sleeper.prepare(WakeState::kParkedFutex)) sleeper.sleep_on_futex(-1);
    return;
  }
  if (!sleeper.prepare(WakeState::kParkedPoll)) return;
  sleeper.asleep();
  pollfd entry{node.poll_fd.get(), POLLIN, 0};
  poll(&entry, 1, -1);
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = read(entry.fd, &count, sizeof count);
  sleeper.awake();
}

// Reads all frames of all writers; returns how many were not whole or out of order.
uint32_t read_frames(Node& node) {
  Sleeper sleeper(*node.records[0], *node.board, 0);
  std::vector<RingConsumer<>> consumers;
  for (uint32_t index = 0; index <= kWriters; ++index) {
    consumers.emplace_back(&node.headers[index], node.data[index], kCapacity);
  }
  uint32_t counts[kWriters + 1] = {};
  uint32_t wrong = 0;
  for (uint32_t left = kWriters * kFramesEach, turn = 0; left > 0; ++turn) {
    node.records[0]->wake.doorbell.take([&](uint32_t writer) {
      RingFrame frame;
      while (consumers[writer].next(frame) == RingRead::kFrame) {
        bool is_whole = frame.kind == static_cast<uint16_t>(counts[writer]);
        for (uint32_t at = 0; at < frame.size; ++at) {
          is_whole = is_whole && frame.data[at] == static_cast<std::byte>(counts[writer]);
        }
        wrong += is_whole ? 0 : 1;
        ++counts[writer];
        --left;
      }
      if (consumers[writer].release()) ring_and_wake({node.records[writer], -1, -1}, 0);
    });
    if (left > 0) sleep_one_way_or_the_other(node, sleeper, turn);
  }
  return wrong;
}

TEST(RingStress, ThreeWritersOneReader) {
  const auto node = std::make_unique<Node>();
  std::vector<std::thread> writers;
  for (uint32_t writer = 1; writer <= kWriters; ++writer) {
    writers.emplace_back([&node, writer] { write_frames(*node, writer); });
  }
  EXPECT_EQ(read_frames(*node), 0U);
  for (auto& writer : writers) writer.join();
}

#if defined(__SANITIZE_THREAD__)

// Broken: every order is relaxed.
template <class T>
class RelaxedAtomic : public std::atomic<T> {
 public:
  using std::atomic<T>::atomic;
  T load(std::memory_order) const { return std::atomic<T>::load(std::memory_order_relaxed); }
  void store(T value, std::memory_order) {
    std::atomic<T>::store(value, std::memory_order_relaxed);
  }
  T exchange(T value, std::memory_order) {
    return std::atomic<T>::exchange(value, std::memory_order_relaxed);
  }
};

TEST(RingStress, DISABLED_RelaxedPublish) {
  RingHeaderT<RelaxedAtomic> header;
  alignas(8) std::byte data[kCapacity]{};
  std::thread writer([&] {
    RingProducer<RelaxedAtomic> producer(&header, data, kCapacity);
    producer.claim(64, 1, 0)[63] = std::byte{1};  // a store that the compiler instruments
    producer.publish();
  });
  RingConsumer<RelaxedAtomic> consumer(&header, data, kCapacity);
  RingFrame frame;
  while (consumer.next(frame) != RingRead::kFrame) std::this_thread::yield();
  EXPECT_EQ(frame.data[63], std::byte{1});
  writer.join();
}

TEST(RingStress, CanaryTsanReportsARelaxedPublish) {
  FILE* child = popen(
      "/proc/$PPID/exe --gtest_also_run_disabled_tests "
      "--gtest_filter=RingStress.DISABLED_RelaxedPublish 2>&1",
      "r");
  ASSERT_NE(child, nullptr);
  std::string output;
  char part[512];
  while (std::fgets(part, sizeof part, child) != nullptr) output += part;
  EXPECT_NE(pclose(child), 0);
  EXPECT_THAT(output, ::testing::HasSubstr("ThreadSanitizer: data race"));
}

#endif

}  // namespace
}  // namespace thornback::shm
