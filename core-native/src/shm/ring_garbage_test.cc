// A faulty peer may write anything into a ring. Whatever it writes, the reader stays inside the
// memory (ASAN watches), ends, and either reads harmless frames or reports kCorrupt for good.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "shm/ring.h"

namespace thornback::shm {
namespace {

constexpr uint64_t kCapacity = 512;
constexpr int kRounds = 20'000;

uint64_t first_seed() {
  const char* given = std::getenv("THORNBACK_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

// On the heap and of the exact size, so that ASAN sees a byte too many.
struct GarbageRing {
  RingHeader header;
  std::unique_ptr<std::byte[]> data{new std::byte[kCapacity]{}};
};

// Reads everything there is; false if a frame lay outside the memory or reading had no end.
template <class Consumer>
bool read_all(Consumer& consumer, const GarbageRing& ring, bool& is_corrupt) {
  unsigned sum = 0;
  for (uint64_t count = 0; count <= kCapacity / kRingFrameHeaderBytes; ++count) {
    RingFrame frame;
    const RingRead read = consumer.next(frame);
    if (read != RingRead::kFrame) {
      is_corrupt = read == RingRead::kCorrupt;
      volatile unsigned keep = sum;
      static_cast<void>(keep);
      return true;
    }
    const auto offset = static_cast<uint64_t>(frame.data - ring.data.get());
    if (offset > kCapacity || frame.size > kCapacity - offset) return false;
    for (uint32_t index = 0; index < frame.size; ++index)
      sum += static_cast<unsigned>(frame.data[index]);
    consumer.release();
  }
  return false;
}

uint64_t random_position(std::mt19937_64& random) {
  switch (random() % 4) {
    case 0: return random();
    case 1: return random() % (2 * kCapacity);
    case 2: return random() % (2 * kCapacity) / 8 * 8;
    default: return random() / 8 * 8;
  }
}

// Fills the memory with noise, or with correct frames some of whose headers are damaged.
void scribble(std::mt19937_64& random, GarbageRing& ring) {
  if (random() % 2 == 0) {
    for (uint64_t index = 0; index < kCapacity; ++index)
      ring.data[index] = static_cast<std::byte>(random());
    ring.header.tail = random_position(random);
    ring.header.head = random_position(random);
    return;
  }
  ring.header.tail = ring.header.head = random() % kCapacity / 8 * 8;
  RingProducer<> producer(&ring.header, ring.data.get(), kCapacity);
  std::vector<std::byte*> bodies;
  for (;;) {
    std::byte* body = producer.claim(static_cast<uint32_t>(random() % 60), 1, 0);
    if (body == nullptr) break;
    bodies.push_back(body);
  }
  producer.publish();
  uint32_t size = static_cast<uint32_t>(random());
  if (random() % 2 == 0) size %= 2 * kCapacity;
  if (random() % 8 == 0) size = kRingPadding;
  std::memcpy(bodies[random() % bodies.size()] - kRingFrameHeaderBytes, &size, sizeof size);
}

TEST(RingGarbage, ReadersStayInsideAndCorruptIsForEver) {
  const uint64_t seed = first_seed();
  std::mt19937_64 random(seed);
  int corrupt = 0;
  for (int round = 0; round < kRounds; ++round) {
    GarbageRing ring;
    scribble(random, ring);
    RingConsumer<> consumer(&ring.header, ring.data.get(), kCapacity);
    bool is_corrupt = false;
    ASSERT_TRUE(read_all(consumer, ring, is_corrupt))
        << "THORNBACK_SEED=" << seed << ", round " << round;
    if (!is_corrupt) continue;
    ++corrupt;
    // Repaired memory does not bring the ring back.
    ring.header.tail = ring.header.head.load();
    RingFrame frame;
    ASSERT_EQ(consumer.next(frame), RingRead::kCorrupt)
        << "THORNBACK_SEED=" << seed << ", round " << round;
  }
  EXPECT_GT(corrupt, kRounds / 4);
  EXPECT_LT(corrupt, kRounds);
}

TEST(RingGarbage, WritersStayInside) {
  const uint64_t seed = first_seed();
  std::mt19937_64 random(seed);
  for (int round = 0; round < kRounds; ++round) {
    GarbageRing ring;
    ring.header.tail = random_position(random);
    ring.header.head = random_position(random);
    ring.header.producer_waiting = random();
    RingProducer<> producer(&ring.header, ring.data.get(), kCapacity);
    for (int frame = 0; frame < 20; ++frame) {
      const auto size = static_cast<uint32_t>(random() % (producer.frame_bytes_max() + 1));
      std::byte* body = producer.claim(size, 1, 0);
      if (body == nullptr) {
        producer.wait_for_room(size);
        ring.header.head = random_position(random);
        continue;
      }
      ASSERT_LE(static_cast<uint64_t>(body - ring.data.get()) + size, kCapacity)
          << "THORNBACK_SEED=" << seed << ", round " << round;
      std::memset(body, 0x5a, size);
      producer.publish();
    }
  }
}

// Broken: believes every length it reads.
class TrustingConsumer {
 public:
  TrustingConsumer(const RingHeader* header, const std::byte* data) : header_(header), data_(data) {
    read_ = header->head;
  }
  RingRead next(RingFrame& out) {
    if (read_ == header_->tail) return RingRead::kEmpty;
    const uint64_t offset = read_ % kCapacity / 8 * 8;
    std::memcpy(&out.size, data_ + offset, sizeof out.size);
    out.data = data_ + offset + kRingFrameHeaderBytes;
    read_ += ring_record_bytes(out.size);
    return RingRead::kFrame;
  }
  void release() {}

 private:
  const RingHeader* header_;
  const std::byte* data_;
  uint64_t read_ = 0;
};

TEST(RingGarbage, CanaryATrustingReaderLeavesTheMemory) {
  std::mt19937_64 random(first_seed());
  bool is_caught = false;
  for (int round = 0; round < 100 && !is_caught; ++round) {
    GarbageRing ring;
    scribble(random, ring);
    TrustingConsumer consumer(&ring.header, ring.data.get());
    bool is_corrupt = false;
    is_caught = !read_all(consumer, ring, is_corrupt);
  }
  EXPECT_TRUE(is_caught);
}

}  // namespace
}  // namespace thornback::shm
