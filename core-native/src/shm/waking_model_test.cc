// Proof by exploration that no wake-up is lost between senders and a receiver that sleeps in each
// of its three ways, and that a sender's death anywhere in between stops nobody. Each proof has
// canaries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using testing::UnfencedAtomic;

constexpr uint64_t kSeeds = 10'000;
constexpr uint64_t kMessages = 6;
// Two in one word of the doorbell, one in another.
constexpr uint32_t kSenders[] = {3, 5, 70};

template <template <class> class Atomic, class Endpoint>
struct Traffic {
  Endpoint receiver;
  Atomic<uint64_t> published[128]{};
  uint64_t seen[128]{};

  void send(uint32_t sender) {
    for (uint64_t number = 1; number <= kMessages; ++number) {
      published[sender].store(number, std::memory_order_release);
      receiver.ring_and_wake(sender);
    }
  }
  void look() {
    receiver.doorbell.take([this](uint32_t sender) {
      seen[sender] = published[sender].load(std::memory_order_acquire);
    });
  }
};

template <template <class> class Atomic, class Endpoint = ModelEndpoint<Atomic>>
Scenario three_senders() {
  auto traffic = std::make_shared<Traffic<Atomic, Endpoint>>();
  Scenario scenario;
  scenario.set_up = [traffic](DeterministicScheduler& scheduler) {
    for (const uint32_t sender : kSenders)
      scheduler.spawn([traffic, sender] { traffic->send(sender); });
    scheduler.spawn([traffic, &scheduler] {
      for (;;) {
        traffic->look();
        bool all = true;
        for (const uint32_t sender : kSenders) all = all && traffic->seen[sender] == kMessages;
        if (all) return;
        traffic->receiver.sleep(testing::random_sleep(scheduler));
      }
    });
  };
  return scenario;
}

TEST(WakingModel, NoWakeUpIsLost) {
  EXPECT_EQ(explore(kSeeds, three_senders<ScheduledAtomic>), "");
}

TEST(WakingModel, CanaryStoreWithoutFence) {
  EXPECT_THAT(explore(kSeeds, three_senders<UnfencedAtomic>), HasSubstr("deadlock"));
}

TEST(WakingModel, CanarySummaryBeforeWord) {
  using Broken = ModelEndpoint<ScheduledAtomic, testing::SummaryFirstDoorbell<ScheduledAtomic>>;
  EXPECT_THAT(explore(kSeeds, three_senders<ScheduledAtomic, Broken>), HasSubstr("deadlock"));
}

// Broken: looks at the wake word before it rings.
struct LooksFirst : ModelEndpoint<ScheduledAtomic> {
  void ring_and_wake(uint32_t sender) {
    const WakeState duty = word.take_duty();
    doorbell.ring(sender);
    if (duty == WakeState::kParkedFutex) testing::scheduled_futex_wake(word.value);
    if (duty == WakeState::kParkedPoll) poll_fd.write();
    if (duty == WakeState::kAway) keeper_fd.write();
  }
};

TEST(WakingModel, CanaryWordBeforeDoorbell) {
  EXPECT_THAT(explore(kSeeds, three_senders<ScheduledAtomic, LooksFirst>), HasSubstr("deadlock"));
}

// One sender dies anywhere; the receiver's keeper learns of it and may finish what the dead one
// began.
template <bool kKeeperHelps>
Scenario one_sender_dies() {
  auto traffic = std::make_shared<Traffic<ScheduledAtomic, ModelEndpoint<ScheduledAtomic>>>();
  constexpr uint32_t kMortal = kSenders[0];
  constexpr uint32_t kSurvivor = kSenders[1];
  Scenario scenario;
  scenario.set_up = [traffic](DeterministicScheduler& scheduler) {
    scheduler.spawn_mortal([traffic] { traffic->send(kMortal); }, 60);
    scheduler.spawn([traffic] { traffic->send(kSurvivor); });
    scheduler.spawn([traffic, &scheduler] {
      scheduler.wait_for_death();
      if (kKeeperHelps) traffic->receiver.ring_for_the_dead(kMortal);
    });
    scheduler.spawn([traffic, &scheduler] {
      const auto is_done = [&] {
        if (traffic->seen[kSurvivor] != kMessages) return false;
        // With help, what the dead one had published arrives as well.
        return !kKeeperHelps || traffic->seen[kMortal] == kMessages || scheduler.any_has_died();
      };
      for (;;) {
        traffic->look();
        if (is_done()) return;
        traffic->receiver.sleep(testing::random_sleep(scheduler));
      }
    });
  };
  scenario.verdict = [traffic]() -> std::string {
    traffic->look();  // the keeper's ring
    if (!kKeeperHelps) return "";
    const uint64_t published = traffic->published[kMortal].load();
    return traffic->seen[kMortal] == published ? "" : " a message of the dead sender is missing";
  };
  return scenario;
}

TEST(WakingModel, ADeadSenderStopsNobody) {
  EXPECT_EQ(explore(kSeeds, one_sender_dies<true>), "");
}

TEST(WakingModel, CanaryNobodyRingsForTheDead) {
  EXPECT_THAT(explore(kSeeds, one_sender_dies<false>), HasSubstr("deadlock"));
}

}  // namespace
}  // namespace thornback::shm

#endif
