// Proof by killing: a sender is killed with SIGKILL before every instruction of claiming, writing,
// publishing, ringing and waking, and a reader at every instruction of reading and giving back. The
// survivor sees the state before or the state after, and nobody is left asleep.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>

#include "base/check.h"
#include "base/unique_fd.h"
#include "shm/ring.h"
#include "shm/waking.h"
#include "testing/single_step.h"

#if !defined( \
    __SANITIZE_THREAD__)  // its runtime executes thousands of instructions of its own per access

namespace thornback::shm {
namespace {

using testing::kWholeAction;
using testing::run_and_kill;

constexpr uint64_t kCapacity = kRingCapacityMin;
constexpr uint32_t kBodyBytes = 48;
constexpr uint64_t kStart = 64;  // from here the fourth frame goes round the end of the ring
constexpr uint32_t kMortal = 1;
constexpr uint32_t kOther = 2;
// Every instruction is taken, except where a sanitizer multiplies them: then every n-th.
#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kKillsMax = 30;
#else
constexpr uint64_t kKillsMax = 1000;
#endif

struct Shared {
  alignas(4096) std::byte record[kEndpointRecordBytes];
  alignas(4096) std::byte board[kNodeBoardBytes];
  RingHeader headers[3];
  alignas(8) std::byte data[3][kCapacity];
};

// The memory of a receiver, endpoint 0, and of its rings with senders 1 and 2.
class Stage {
 public:
  Stage() : poll_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    void* memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TBK_CHECK(memory != MAP_FAILED);
    shared_ = new (memory) Shared;
    record_ = EndpointRecord::create(shared_->record, 0, 0);
    board_ = NodeBoard::create(shared_->board, 2, 0);
    targets_ = {record_, poll_fd_.get(), -1};
  }
  ~Stage() { munmap(shared_, sizeof(Shared)); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  RingProducer<> producer(uint32_t sender) {
    return {&shared_->headers[sender], shared_->data[sender], kCapacity};
  }
  RingConsumer<> consumer(uint32_t sender) {
    return {&shared_->headers[sender], shared_->data[sender], kCapacity};
  }
  RingHeader& header(uint32_t sender) { return shared_->headers[sender]; }
  EndpointRecord& record() { return *record_; }
  NodeBoard& board() { return *board_; }
  const WakeTargets& targets() const { return targets_; }

  // Written without library calls, so that each word is a step.
  static void put(RingProducer<>& producer, uint16_t number) {
    std::byte* body = producer.claim(kBodyBytes, number, 0);
    TBK_CHECK(body != nullptr);
    auto* words = reinterpret_cast<volatile uint64_t*>(body);
    for (uint32_t index = 0; index < kBodyBytes / 8; ++index) words[index] = number;
  }

 private:
  UniqueFd poll_fd_;
  Shared* shared_ = nullptr;
  EndpointRecord* record_ = nullptr;
  NodeBoard* board_ = nullptr;
  WakeTargets targets_;
};

bool is_whole(const RingFrame& frame, uint16_t number) {
  if (frame.kind != number || frame.size != kBodyBytes) return false;
  for (uint32_t offset = 0; offset < frame.size; offset += 8) {
    uint64_t word = 0;
    std::memcpy(&word, frame.data + offset, sizeof word);
    if (word != number) return false;
  }
  return true;
}

// What the receiver has seen when a frame of the other sender reaches it.
struct Seen {
  uint16_t frames = 0;  // of the mortal sender
  bool is_torn = false;
  bool is_asleep_for_ever = false;
};

Seen receive(Stage& stage, WakeState kind, int watchdog_ms) {
  Seen seen;
  Sleeper sleeper(stage.record(), stage.board(), 0);
  RingConsumer<> from_mortal = stage.consumer(kMortal);
  RingConsumer<> from_other = stage.consumer(kOther);
  RingFrame frame;
  for (;;) {
    stage.record().wake.doorbell.take([](uint32_t) {});
    while (from_mortal.next(frame) == RingRead::kFrame) {
      ++seen.frames;
      seen.is_torn = seen.is_torn || !is_whole(frame, seen.frames);
    }
    seen.is_torn = seen.is_torn || !from_mortal.is_valid();
    if (from_other.next(frame) == RingRead::kFrame) return seen;
    if (!sleeper.prepare(kind)) continue;
    if (kind == WakeState::kParkedFutex) {
      const WaitResult result = sleeper.sleep_on_futex(int64_t{watchdog_ms} * 1'000'000);
      seen.is_asleep_for_ever = result == WaitResult::kTimedOut;
    } else {
      pollfd entry{stage.targets().poll_fd, POLLIN, 0};
      seen.is_asleep_for_ever = poll(&entry, 1, watchdog_ms) == 0;
      uint64_t count = 0;
      [[maybe_unused]] const ssize_t size = read(entry.fd, &count, sizeof count);
      sleeper.awake();
    }
    if (seen.is_asleep_for_ever) return seen;
  }
}

enum class Fault { kNone, kPublishBeforeBody, kNobodyRingsForTheDead };

// Publishes a third and a fourth frame in one batch.
void send_two(Stage& stage, Fault fault) {
  RingProducer<> producer = stage.producer(kMortal);
  if (fault == Fault::kPublishBeforeBody) {
    stage.header(kMortal).tail.fetch_add(ring_record_bytes(kBodyBytes));
  }
  Stage::put(producer, 3);
  Stage::put(producer, 4);
  producer.publish();
  ring_and_wake(stage.targets(), kMortal);
}

// One life: the mortal sender is killed after `instructions`, then the other one sends a frame.
Seen kill_sender(uint64_t instructions, WakeState kind, Fault fault, int watchdog_ms,
                 uint64_t* executed = nullptr) {
  Stage stage;
  stage.header(kMortal).tail = stage.header(kMortal).head = kStart;
  RingProducer<> before = stage.producer(kMortal);
  Stage::put(before, 1);
  Stage::put(before, 2);
  before.publish();
  Seen seen;
  std::thread receiver([&] { seen = receive(stage, kind, watchdog_ms); });
  while (stage.record().wake.word.value.load() != static_cast<uint32_t>(kind))
    std::this_thread::yield();

  const auto result = run_and_kill(instructions, [&] { send_two(stage, fault); });
  if (executed != nullptr) *executed = result.instructions;
  if (fault != Fault::kNobodyRingsForTheDead) ring_for_the_dead(stage.targets(), kMortal);
  RingProducer<> other = stage.producer(kOther);
  Stage::put(other, 1);
  other.publish();
  ring_and_wake(stage.targets(), kOther);
  receiver.join();
  return seen;
}

class SenderDeath : public ::testing::TestWithParam<WakeState> {};

TEST_P(SenderDeath, AtAnyInstructionLeavesTheStateBeforeOrAfter) {
  uint64_t total = 0;
  EXPECT_EQ(kill_sender(kWholeAction, GetParam(), Fault::kNone, 10'000, &total).frames, 4);
  bool seen_before = false;
  bool seen_after = false;
  const uint64_t stride = total / kKillsMax + 1;
  for (uint64_t instructions = 0; instructions <= total; instructions += stride) {
    const Seen seen = kill_sender(instructions, GetParam(), Fault::kNone, 10'000);
    ASSERT_FALSE(seen.is_torn) << "killed after " << instructions;
    ASSERT_FALSE(seen.is_asleep_for_ever) << "killed after " << instructions;
    ASSERT_TRUE(seen.frames == 2 || seen.frames == 4)
        << seen.frames << ", killed after " << instructions;
    seen_before = seen_before || seen.frames == 2;
    seen_after = seen_after || seen.frames == 4;
  }
  EXPECT_TRUE(seen_before && seen_after);
}

INSTANTIATE_TEST_SUITE_P(Crash, SenderDeath,
                         ::testing::Values(WakeState::kParkedFutex, WakeState::kParkedPoll));

TEST(SenderDeathCanary, PublishBeforeBodyIsCaught) {
  uint64_t total = 0;
  kill_sender(kWholeAction, WakeState::kParkedFutex, Fault::kPublishBeforeBody, 10'000, &total);
  bool is_caught = false;
  const uint64_t stride = total / kKillsMax + 1;
  for (uint64_t instructions = 0; instructions <= total && !is_caught; instructions += stride) {
    is_caught =
        kill_sender(instructions, WakeState::kParkedFutex, Fault::kPublishBeforeBody, 10'000)
            .is_torn;
  }
  EXPECT_TRUE(is_caught);
}

TEST(SenderDeathCanary, ASleeperNobodyRingsForIsCaught) {
  uint64_t total = 0;
  kill_sender(kWholeAction, WakeState::kParkedFutex, Fault::kNobodyRingsForTheDead, 10'000, &total);
  bool is_caught = false;
  // The gap lies before the last system call: from the end backwards it is found soon.
  for (uint64_t back = 0; back <= total && !is_caught; ++back) {
    is_caught =
        kill_sender(total - back, WakeState::kParkedFutex, Fault::kNobodyRingsForTheDead, 300)
            .is_asleep_for_ever;
  }
  EXPECT_TRUE(is_caught);
}

// The reader dies while it reads four frames, gives their room back and rings the waiting writer.
TEST(ReaderDeath, AtAnyInstructionLeavesTheWriterARingItCanUse) {
  const auto kill_reader = [](uint64_t instructions) {
    Stage stage;
    RingProducer<> producer = stage.producer(kMortal);
    for (uint16_t number = 1; number <= 4; ++number) Stage::put(producer, number);
    producer.publish();
    EXPECT_FALSE(producer.wait_for_room(kBodyBytes));
    EXPECT_TRUE(
        stage.record().wake.word.prepare(WakeState::kParkedPoll, stage.record().wake.doorbell));
    const auto result = run_and_kill(instructions, [&] {
      RingConsumer<> consumer = stage.consumer(kMortal);
      RingFrame frame;
      while (consumer.next(frame) == RingRead::kFrame) {
      }
      if (consumer.release()) ring_and_wake(stage.targets(), kMortal);
    });
    ring_for_the_dead(stage.targets(), kMortal);
    EXPECT_TRUE(stage.record().wake.doorbell.any());
    pollfd entry{stage.targets().poll_fd, POLLIN, 0};
    EXPECT_EQ(poll(&entry, 1, 0), 1);
    const uint64_t head = stage.header(kMortal).head;
    EXPECT_TRUE(head == 0 || head == 4 * ring_record_bytes(kBodyBytes)) << head;
    EXPECT_EQ(producer.claim(kBodyBytes, 5, 0) != nullptr, head != 0);
    EXPECT_TRUE(producer.is_valid());
    return result;
  };
  const uint64_t total = kill_reader(kWholeAction).instructions;
  const uint64_t stride = total / kKillsMax + 1;
  for (uint64_t instructions = 0; instructions <= total; instructions += stride) {
    kill_reader(instructions);
    ASSERT_FALSE(HasFailure()) << "killed after " << instructions;
  }
}

}  // namespace
}  // namespace thornback::shm

#endif
