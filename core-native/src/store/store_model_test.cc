// Proof by exploration of the two protocols of the store that run without a lock: looking up a name
// while the owner seals, frees and reuses, and raising grants. Each proof has canaries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "store/directory.h"
#include "store/quota.h"
#include "testing/deterministic_scheduler.h"

#if !defined(__SANITIZE_THREAD__)  // one real thread: nothing for TSAN to see

namespace thornback::store {
namespace {

using testing::DeterministicScheduler;
using testing::explore;
using ::testing::HasSubstr;
using testing::Scenario;
using testing::ScheduledAtomic;

constexpr uint64_t kSeeds = 10'000;
constexpr uint32_t kObjects = 6;

using Owner = OwnerDirectory<ScheduledAtomic>;

// The offset of the object of generation g is 64 * g, its size g.
class Lookups {
 public:
  void read(DeterministicScheduler& scheduler) {
    for (int look = 0; look < 12; ++look) {
      const auto generation = static_cast<uint32_t>(1 + scheduler.random(kObjects));
      const EntryView view = read_entry(entry, generation);
      if (view.outcome == EntryView::Outcome::kNonsense) complaint_ = " nonsense";
      if (view.outcome != EntryView::Outcome::kSealed) continue;
      const bool is_right = view.offset == 64 * generation && view.size == generation &&
                            view.companion == generation + 1 &&
                            view.companion_generation == generation;
      if (!is_right) complaint_ = " another object's entry";
    }
  }
  std::string complaint() const { return complaint_; }

  Owner::Entry entry{};

 private:
  std::string complaint_;
};

template <class Directory>
Scenario lookups() {
  auto state = std::make_shared<Lookups>();
  Scenario scenario;
  scenario.set_up = [state](DeterministicScheduler& scheduler) {
    scheduler.spawn([state] {
      Directory owner(&state->entry, 1);
      for (uint32_t number = 1; number <= kObjects; ++number) {
        const ObjectName name = owner.enter(64 * number, number);
        owner.seal(name, ObjectName{number, number}, true);
        owner.retire(name);
      }
    });
    scheduler.spawn([state, &scheduler] { state->read(scheduler); });
  };
  scenario.verdict = [state] { return state->complaint(); };
  return scenario;
}

TEST(StoreModel, NamesLeadToTheirOwnObjectOnly) {
  EXPECT_EQ(explore(kSeeds, lookups<Owner>), "");
}

// Variants with one thing in the wrong order.
class SealsBeforeCompanion : public Owner {
 public:
  SealsBeforeCompanion(Entry* entries, uint32_t count) : Owner(entries, count), entries_(entries) {}
  void seal(ObjectName name, ObjectName companion, bool) {
    Owner::seal(name, companion, false);
    entries_[name.slot].companion.store(companion.slot + 1);
    entries_[name.slot].companion_generation.store(companion.generation);
  }

 private:
  Entry* entries_;
};

class ReusesBeforeRetiring : public Owner {
 public:
  ReusesBeforeRetiring(Entry* entries, uint32_t count) : Owner(entries, count), entries_(entries) {}
  void retire(ObjectName name) {
    entries_[name.slot].offset.store(64 * (name.generation + 1));
    Owner::retire(name);
  }

 private:
  Entry* entries_;
};

TEST(StoreModel, CanarySealBeforeCompanion) {
  EXPECT_THAT(explore(kSeeds, lookups<SealsBeforeCompanion>), HasSubstr("another object's entry"));
}

TEST(StoreModel, CanaryReuseBeforeRetiring) {
  EXPECT_THAT(explore(kSeeds, lookups<ReusesBeforeRetiring>), HasSubstr("another object's entry"));
}

// Two arenas that need 3 pages now and then, and one that needs 1, share 5.
constexpr uint64_t kPage = 4096;

template <template <class> class Atomic>
struct Grants {
  Atomic<uint64_t> granted[3]{};
  Atomic<uint32_t> high_water{3};
  uint64_t held = 0;  // what the arenas believe they may use
  std::string complaint;

  void use(DeterministicScheduler& scheduler, uint32_t own, uint64_t pages) {
    QuotaT<Atomic> quota(5 * kPage, granted, 3, own, &high_water);
    for (int round = 0; round < 3; ++round) {
      if (!quota.take(pages * kPage, (pages + scheduler.random(2)) * kPage)) continue;
      const uint64_t got = quota.granted_bytes();
      held += got;
      if (held > 5 * kPage) complaint = " too much granted";
      scheduler.step();
      held -= got;
      quota.give_back(got);
    }
  }
};

template <template <class> class Atomic>
Scenario grants() {
  auto state = std::make_shared<Grants<Atomic>>();
  Scenario scenario;
  scenario.set_up = [state](DeterministicScheduler& scheduler) {
    for (uint32_t own = 0; own < 3; ++own) {
      scheduler.spawn([state, own, &scheduler] { state->use(scheduler, own, own == 2 ? 1 : 3); });
    }
  };
  scenario.verdict = [state] { return state->complaint; };
  return scenario;
}

TEST(StoreModel, GrantsNeverExceedTheCapacity) {
  EXPECT_EQ(explore(kSeeds, grants<ScheduledAtomic>), "");
}

// Without the fence between the raise and the look at the others.
template <class T>
class UnfencedAtomic : public ScheduledAtomic<T> {
 public:
  using ScheduledAtomic<T>::ScheduledAtomic;
  void store(T value, std::memory_order = std::memory_order_seq_cst) {
    ScheduledAtomic<T>::store(value, std::memory_order_release);
  }
};

TEST(StoreModel, CanaryRaiseWithoutFence) {
  EXPECT_THAT(explore(kSeeds, grants<UnfencedAtomic>), HasSubstr("too much granted"));
}

// Two that need 3 of 5 pages each, and keep them: exactly one is refused, never both.
Scenario both_need_most() {
  struct State {
    Grants<ScheduledAtomic> table;
    int granted_count = 0;
  };
  auto state = std::make_shared<State>();
  Scenario scenario;
  scenario.set_up = [state](DeterministicScheduler& scheduler) {
    for (uint32_t own = 0; own < 2; ++own) {
      scheduler.spawn([state, own] {
        Grants<ScheduledAtomic>& table = state->table;
        QuotaT<ScheduledAtomic> quota(5 * kPage, table.granted, 3, own, &table.high_water);
        if (quota.take(3 * kPage, 5 * kPage)) ++state->granted_count;
      });
    }
  };
  scenario.verdict = [state] {
    if (state->granted_count == 1) return std::string();
    return " " + std::to_string(state->granted_count) + " were granted";
  };
  return scenario;
}

TEST(StoreModel, OneOfTwoIsGrantedWhatOnlyOneCanHave) {
  EXPECT_EQ(explore(kSeeds, both_need_most), "");
}

}  // namespace
}  // namespace thornback::store

#endif
