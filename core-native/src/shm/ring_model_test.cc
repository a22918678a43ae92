// Proof by exploration: frames cross the ring whole and in order, through wrap-around and a full
// ring, with both ends sleeping whenever they have nothing to do. Each proof has canaries.
#include "shm/ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "testing/shm/model_endpoint.h"

#if !defined(__SANITIZE_THREAD__)  // one real thread: nothing for TSAN to see

namespace thornback::shm {
namespace {

using testing::DeterministicScheduler;
using testing::explore;
using ::testing::HasSubstr;
using testing::ModelEndpoint;
using testing::Scenario;
using testing::ScheduledAtomic;

constexpr uint64_t kSeeds = 10'000;
constexpr uint64_t kCapacity = kRingCapacityMin;
constexpr uint32_t kFrames = 25;  // three times round the ring

// Where a variant deviates from the correct order.
enum class Fault {
  kNone,
  kPublishBeforeBody,
  kReleaseWithoutRinging,
  kReleaseBeforeReading,
  kNoNoteForConsumer
};

template <template <class> class Atomic>
class RingTraffic {
 public:
  void start_at(uint64_t start) {
    header_.tail.store(start);
    header_.head.store(start);
  }

  void produce(DeterministicScheduler& scheduler, Fault fault) {
    RingProducer<Atomic> producer(&header_, data_, kCapacity);
    for (uint32_t number = 0; number < kFrames; ++number) {
      const auto size = static_cast<uint32_t>(scheduler.random(producer.frame_bytes_max() + 1));
      std::byte* body =
          producer.claim(size, static_cast<uint16_t>(number), static_cast<uint16_t>(size));
      while (body == nullptr) {
        if (producer.publish()) consumer_.ring_and_wake(0);
        const bool has_room = fault != Fault::kNoNoteForConsumer && producer.wait_for_room(size);
        if (!has_room) sleep(producer_, scheduler);
        body = producer.claim(size, static_cast<uint16_t>(number), static_cast<uint16_t>(size));
      }
      if (fault == Fault::kPublishBeforeBody && producer.publish()) consumer_.ring_and_wake(0);
      write_body(scheduler, body, size, number);
      if (scheduler.random(3) == 0 && producer.publish()) consumer_.ring_and_wake(0);
    }
    producer.publish();
    consumer_.ring_and_wake(0);
  }

  void consume(DeterministicScheduler& scheduler, Fault fault) {
    RingConsumer<Atomic> consumer(&header_, data_, kCapacity);
    uint32_t number = 0;
    while (number < kFrames) {
      RingFrame frame;
      const RingRead read = consumer.next(frame);
      if (read == RingRead::kCorrupt) {
        complaint_ = " corrupt";
        return;
      }
      if (read == RingRead::kEmpty || scheduler.random(4) == 0) {
        if (read == RingRead::kFrame) check(scheduler, frame, number++);
        if (consumer.release() && fault != Fault::kReleaseWithoutRinging)
          producer_.ring_and_wake(0);
        if (read == RingRead::kEmpty) sleep(consumer_, scheduler);
        continue;
      }
      if (fault == Fault::kReleaseBeforeReading && consumer.release()) producer_.ring_and_wake(0);
      check(scheduler, frame, number++);
    }
  }

  std::string complaint() const { return complaint_; }

 private:
  void sleep(ModelEndpoint<Atomic>& endpoint, DeterministicScheduler& scheduler) {
    bool rung = false;
    endpoint.doorbell.take([&](uint32_t) { rung = true; });
    if (!rung) endpoint.sleep(testing::random_sleep(scheduler));
  }

  void write_body(DeterministicScheduler& scheduler, std::byte* body, uint32_t size,
                  uint32_t number) {
    std::memset(body, static_cast<int>(number), size / 2);
    scheduler.step();
    std::memset(body + size / 2, static_cast<int>(number), size - size / 2);
  }

  void check(DeterministicScheduler& scheduler, const RingFrame& frame, uint32_t number) {
    scheduler.step();
    bool is_whole = frame.kind == number && frame.flags == frame.size;
    for (uint32_t index = 0; index < frame.size; ++index) {
      is_whole = is_whole && frame.data[index] == static_cast<std::byte>(number);
    }
    if (!is_whole) complaint_ = " torn frame " + std::to_string(number);
  }

  RingHeaderT<Atomic> header_;
  alignas(8) std::byte data_[kCapacity]{};
  ModelEndpoint<Atomic> producer_;
  ModelEndpoint<Atomic> consumer_;
  std::string complaint_;
};

template <template <class> class Atomic, Fault kFault>
Scenario one_way() {
  auto traffic = std::make_shared<RingTraffic<Atomic>>();
  Scenario scenario;
  scenario.set_up = [traffic](DeterministicScheduler& scheduler) {
    traffic->start_at(8 * scheduler.random(kCapacity));
    scheduler.spawn([traffic, &scheduler] { traffic->produce(scheduler, kFault); });
    scheduler.spawn([traffic, &scheduler] { traffic->consume(scheduler, kFault); });
  };
  scenario.verdict = [traffic] { return traffic->complaint(); };
  return scenario;
}

TEST(RingModel, FramesArriveWholeAndInOrder) {
  EXPECT_EQ(explore(kSeeds, one_way<ScheduledAtomic, Fault::kNone>), "");
}

TEST(RingModel, CanaryPublishBeforeBody) {
  EXPECT_THAT(explore(kSeeds, one_way<ScheduledAtomic, Fault::kPublishBeforeBody>),
              HasSubstr("torn frame"));
}

TEST(RingModel, CanaryReleaseBeforeReading) {
  EXPECT_THAT(explore(kSeeds, one_way<ScheduledAtomic, Fault::kReleaseBeforeReading>),
              HasSubstr("torn frame"));
}

TEST(RingModel, CanaryReleaseWithoutRinging) {
  EXPECT_THAT(explore(kSeeds, one_way<ScheduledAtomic, Fault::kReleaseWithoutRinging>),
              HasSubstr("deadlock"));
}

TEST(RingModel, CanaryProducerSleepsWithoutANote) {
  EXPECT_THAT(explore(kSeeds, one_way<ScheduledAtomic, Fault::kNoNoteForConsumer>),
              HasSubstr("deadlock"));
}

// The handshake of a full ring alone has no fence: endpoints stay correct, only the header is
// broken.
template <class T>
class UnfencedHeaderAtomic : public ScheduledAtomic<T> {
 public:
  using ScheduledAtomic<T>::ScheduledAtomic;
  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    const bool is_position = sizeof(T) == 8;
    ScheduledAtomic<T>::store(value, is_position ? std::memory_order_release : order);
  }
};

TEST(RingModel, CanaryHandshakeWithoutFence) {
  EXPECT_THAT(explore(kSeeds, one_way<UnfencedHeaderAtomic, Fault::kNone>), HasSubstr("deadlock"));
}

}  // namespace
}  // namespace thornback::shm

#endif
