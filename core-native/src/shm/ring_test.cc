#include "shm/ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace thornback::shm {
namespace {

constexpr uint64_t kCapacity = 1024;

struct Ring : ::testing::Test {
  RingHeader header;
  alignas(8) std::byte data[kCapacity]{};

  RingProducer<> producer() { return {&header, data, kCapacity}; }
  RingConsumer<> consumer() { return {&header, data, kCapacity}; }
};

bool put(RingProducer<>& producer, const std::string& text, uint16_t kind = 1, uint16_t flags = 0) {
  std::byte* body = producer.claim(static_cast<uint32_t>(text.size()), kind, flags);
  if (body == nullptr) return false;
  std::memcpy(body, text.data(), text.size());
  return true;
}

std::string text_of(const RingFrame& frame) {
  return {reinterpret_cast<const char*>(frame.data), frame.size};
}

TEST_F(Ring, CarriesKindFlagsAndBody) {
  auto out = producer();
  auto in = consumer();
  RingFrame frame;
  EXPECT_EQ(in.next(frame), RingRead::kEmpty);
  ASSERT_TRUE(put(out, "rays", 7, 0xfedc));
  EXPECT_TRUE(out.publish());
  EXPECT_TRUE(in.has_frame());
  ASSERT_EQ(in.next(frame), RingRead::kFrame);
  EXPECT_EQ(frame.kind, 7);
  EXPECT_EQ(frame.flags, 0xfedc);
  EXPECT_EQ(text_of(frame), "rays");
  EXPECT_EQ(in.next(frame), RingRead::kEmpty);
  EXPECT_FALSE(in.has_frame());
}

TEST_F(Ring, ClaimsAreInvisibleUntilPublished) {
  auto out = producer();
  auto in = consumer();
  RingFrame frame;
  EXPECT_FALSE(out.publish());
  ASSERT_TRUE(put(out, "one"));
  ASSERT_TRUE(put(out, ""));
  EXPECT_EQ(in.next(frame), RingRead::kEmpty);
  EXPECT_TRUE(out.publish());
  EXPECT_FALSE(out.publish());
  ASSERT_EQ(in.next(frame), RingRead::kFrame);
  EXPECT_EQ(text_of(frame), "one");
  ASSERT_EQ(in.next(frame), RingRead::kFrame);
  EXPECT_EQ(frame.size, 0U);
}

TEST_F(Ring, BodiesAreAligned) {
  auto out = producer();
  for (const uint32_t size : {0U, 1U, 7U, 8U, 9U}) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(out.claim(size, 1, 0)) % 8, 0U);
  }
}

TEST_F(Ring, EverySizeGoesRoundTheEnd) {
  auto out = producer();
  auto in = consumer();
  for (uint64_t size = 0; size <= out.frame_bytes_max(); ++size) {
    const std::string text(size, static_cast<char>(size));
    ASSERT_TRUE(put(out, text)) << size;
    out.publish();
    RingFrame frame;
    ASSERT_EQ(in.next(frame), RingRead::kFrame) << size;
    ASSERT_EQ(text_of(frame), text);
    in.release();
  }
}

TEST_F(Ring, AFullRingRefusesUntilRoomIsReleased) {
  auto out = producer();
  auto in = consumer();
  const std::string text(out.frame_bytes_max(), 'x');
  int frames = 0;
  while (put(out, text)) ++frames;
  EXPECT_EQ(frames, 4);
  out.publish();
  RingFrame frame;
  ASSERT_EQ(in.next(frame), RingRead::kFrame);
  EXPECT_FALSE(put(out, text));  // read, but not given back
  in.release();
  EXPECT_TRUE(put(out, text));
}

TEST_F(Ring, TheConsumerReportsAWaitingProducerOnceHalfIsFree) {
  auto out = producer();
  auto in = consumer();
  const auto size = static_cast<uint32_t>(out.frame_bytes_max());
  while (out.claim(size, 1, 0) != nullptr) {
  }
  out.publish();
  EXPECT_FALSE(out.wait_for_room(size));
  RingFrame frame;
  ASSERT_EQ(in.next(frame), RingRead::kFrame);
  EXPECT_FALSE(in.release());
  ASSERT_EQ(in.next(frame), RingRead::kFrame);
  EXPECT_TRUE(in.release());
  ASSERT_EQ(in.next(frame), RingRead::kFrame);
  EXPECT_FALSE(in.release());  // the note is used up
  EXPECT_TRUE(out.wait_for_room(size));
  EXPECT_NE(out.claim(size, 1, 0), nullptr);
}

TEST_F(Ring, BothEndsContinueFromTheHeader) {
  {
    auto out = producer();
    put(out, "first");
    put(out, "second");
    out.publish();
    put(out, "never published");
    auto in = consumer();
    RingFrame frame;
    in.next(frame);
    in.release();
  }
  auto out = producer();
  put(out, "third");
  out.publish();
  auto in = consumer();
  RingFrame frame;
  ASSERT_EQ(in.next(frame), RingRead::kFrame);
  EXPECT_EQ(text_of(frame), "second");
  ASSERT_EQ(in.next(frame), RingRead::kFrame);
  EXPECT_EQ(text_of(frame), "third");
  EXPECT_EQ(in.next(frame), RingRead::kEmpty);
}

TEST_F(Ring, PositionsMayPassTheEndOfTheirType) {
  header.tail = header.head = ~uint64_t{0} - 2047;  // 8-aligned: 2^64 - 2048
  auto out = producer();
  auto in = consumer();
  for (int turn = 0; turn < 100; ++turn) {
    ASSERT_TRUE(put(out, "round and round " + std::to_string(turn)));
    out.publish();
    RingFrame frame;
    ASSERT_EQ(in.next(frame), RingRead::kFrame);
    EXPECT_EQ(text_of(frame), "round and round " + std::to_string(turn));
    in.release();
  }
}

TEST_F(Ring, NonsenseInTheHeaderIsNoticedAtTheStart) {
  struct Positions {
    uint64_t tail;
    uint64_t head;
  };
  for (const Positions& each :
       {Positions{8, 16}, {kCapacity + 8, 0}, {3, 0}, {0, 4}, {0, ~uint64_t{0}}}) {
    header.tail = each.tail;
    header.head = each.head;
    auto out = producer();
    EXPECT_FALSE(out.is_valid());
    EXPECT_EQ(out.claim(8, 1, 0), nullptr);
    EXPECT_FALSE(out.wait_for_room(8));
    auto in = consumer();
    EXPECT_FALSE(in.is_valid());
    RingFrame frame;
    EXPECT_EQ(in.next(frame), RingRead::kCorrupt);
    EXPECT_TRUE(in.has_frame());
  }
}

TEST_F(Ring, AHeadThatNoConsumerWritesEndsTheProducer) {
  for (const uint64_t head : {uint64_t{kCapacity} * 2, uint64_t{12}, ~uint64_t{7}}) {
    header.tail = 0;
    header.head = 0;
    auto out = producer();
    while (put(out, "some text")) {
    }
    out.publish();
    header.head = head;
    EXPECT_FALSE(put(out, "some text"));
    EXPECT_FALSE(out.is_valid());
    header.head = kCapacity / 2;
    EXPECT_FALSE(put(out, "some text")) << "a producer recovered from nonsense";
  }
}

TEST_F(Ring, ATailThatNoProducerWritesIsCorruptForEver) {
  for (const uint64_t tail : {uint64_t{kCapacity} + 24, uint64_t{20}, ~uint64_t{7}, uint64_t{0}}) {
    header.tail = 16;
    header.head = 0;
    auto in = consumer();
    RingFrame frame;
    std::memset(data, 0, sizeof data);  // frames without a body
    ASSERT_EQ(in.next(frame), RingRead::kFrame);
    ASSERT_EQ(in.next(frame), RingRead::kFrame);
    header.tail = tail;
    EXPECT_EQ(in.next(frame), RingRead::kCorrupt) << tail;
    header.tail = 24;
    EXPECT_EQ(in.next(frame), RingRead::kCorrupt) << tail;
  }
}

TEST_F(Ring, FramesThatReachTooFarAreCorrupt) {
  const auto read_frame = [&](uint64_t tail, uint32_t size, uint64_t head = 0) {
    header.head = head;
    header.tail = tail;
    std::memcpy(data + head, &size, sizeof size);
    auto in = consumer();
    RingFrame frame;
    return in.next(frame);
  };
  EXPECT_EQ(read_frame(16, 8), RingRead::kFrame);
  EXPECT_EQ(read_frame(16, 9), RingRead::kCorrupt);           // beyond what is published
  EXPECT_EQ(read_frame(kCapacity, 700), RingRead::kCorrupt);  // larger than any claim
  EXPECT_EQ(read_frame(kCapacity, 0xfffffffe), RingRead::kCorrupt);
  EXPECT_EQ(read_frame(kCapacity, kRingPadding), RingRead::kCorrupt);  // padding at the start
  EXPECT_EQ(read_frame(kCapacity, kRingPadding, 1000),
            RingRead::kCorrupt);                              // nothing behind padding
  EXPECT_EQ(read_frame(1100, 32, 1000), RingRead::kCorrupt);  // across the end
}

}  // namespace
}  // namespace thornback::shm
