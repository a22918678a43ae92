// The scheduler must find what x86 does and must not find what it never does; otherwise the proofs
// that run on it prove nothing.
#include "testing/deterministic_scheduler.h"

#include <gtest/gtest.h>

#if !defined(__SANITIZE_THREAD__)  // one real thread: nothing for TSAN to see

namespace thornback::testing {
namespace {

struct Litmus {
  ScheduledAtomic<uint32_t> x{0};
  ScheduledAtomic<uint32_t> y{0};
  uint32_t seen_x = 7;
  uint32_t seen_y = 7;
};

// Each of two threads stores to its word and then looks at the other's.
Scenario store_buffering(std::memory_order order) {
  auto litmus = std::make_shared<Litmus>();
  Scenario scenario;
  scenario.set_up = [litmus, order](DeterministicScheduler& scheduler) {
    scheduler.spawn([litmus, order] {
      litmus->x.store(1, order);
      litmus->seen_y = litmus->y.load(order);
    });
    scheduler.spawn([litmus, order] {
      litmus->y.store(1, order);
      litmus->seen_x = litmus->x.load(order);
    });
  };
  scenario.verdict = [litmus] {
    return std::string(litmus->seen_x == 0 && litmus->seen_y == 0 ? " both overtook" : "");
  };
  return scenario;
}

TEST(DeterministicScheduler, FindsStoresThatAreOvertakenByLoads) {
  EXPECT_NE(explore(1000, [] { return store_buffering(std::memory_order_release); }), "");
}

TEST(DeterministicScheduler, SequentiallyConsistentStoresAreNotOvertaken) {
  EXPECT_EQ(explore(5000, [] { return store_buffering(std::memory_order_seq_cst); }), "");
}

TEST(DeterministicScheduler, StoresArriveInOrder) {
  const auto message_passing = [] {
    auto litmus = std::make_shared<Litmus>();
    Scenario scenario;
    scenario.set_up = [litmus](DeterministicScheduler& scheduler) {
      scheduler.spawn([litmus] {
        litmus->x.store(1, std::memory_order_relaxed);
        litmus->y.store(1, std::memory_order_release);
      });
      scheduler.spawn([litmus] {
        litmus->seen_y = litmus->y.load(std::memory_order_acquire);
        litmus->seen_x = litmus->x.load(std::memory_order_relaxed);
      });
    };
    scenario.verdict = [litmus] {
      return std::string(litmus->seen_y == 1 && litmus->seen_x == 0 ? " out of order" : "");
    };
    return scenario;
  };
  EXPECT_EQ(explore(5000, message_passing), "");
}

TEST(DeterministicScheduler, FindsLostUpdates) {
  const auto two_increments = [](bool is_atomic) {
    auto litmus = std::make_shared<Litmus>();
    Scenario scenario;
    scenario.set_up = [litmus, is_atomic](DeterministicScheduler& scheduler) {
      for (int thread = 0; thread < 2; ++thread) {
        scheduler.spawn([litmus, is_atomic] {
          if (is_atomic) {
            litmus->x.fetch_add(1);
          } else {
            litmus->x.store(litmus->x.load() + 1);
          }
        });
      }
    };
    scenario.verdict = [litmus] { return std::string(litmus->x.load() == 2 ? "" : " lost"); };
    return scenario;
  };
  EXPECT_EQ(explore(1000, [&] { return two_increments(true); }), "");
  EXPECT_NE(explore(1000, [&] { return two_increments(false); }), "");
}

TEST(DeterministicScheduler, ReportsDeadlocks) {
  DeterministicScheduler scheduler(1);
  ScheduledAtomic<uint32_t> word{5};
  scheduler.spawn([&] { scheduled_futex_wait(word, 5); });
  EXPECT_EQ(scheduler.run(), RunResult::kDeadlock);
}

TEST(DeterministicScheduler, ReportsEndlessRuns) {
  DeterministicScheduler scheduler(1);
  ScheduledAtomic<uint32_t> word{0};
  scheduler.spawn([&] {
    while (word.load() == 0) {
    }
  });
  EXPECT_EQ(scheduler.run(), RunResult::kEndless);
}

TEST(DeterministicScheduler, TheSameSeedGivesTheSameRun) {
  const auto trace = [](uint64_t seed) {
    DeterministicScheduler scheduler(seed);
    ScheduledAtomic<uint32_t> word{0};
    std::string text;
    for (char name = 'a'; name < 'e'; ++name) {
      scheduler.spawn([&, name] {
        for (int turn = 0; turn < 5; ++turn) {
          word.store(1, std::memory_order_relaxed);
          text += name;
        }
      });
    }
    EXPECT_EQ(scheduler.run(), RunResult::kFinished);
    return text;
  };
  EXPECT_EQ(trace(4711), trace(4711));
  EXPECT_NE(trace(1), trace(2));
}

TEST(DeterministicScheduler, AMortalThreadDiesInTheMiddle) {
  bool died_in_the_middle = false;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    DeterministicScheduler scheduler(seed);
    ScheduledAtomic<uint32_t> word{0};
    bool is_over = false;
    scheduler.spawn_mortal(
        [&] {
          for (uint32_t value = 1; value <= 10; ++value)
            word.store(value, std::memory_order_relaxed);
        },
        20);
    scheduler.spawn([&] {
      scheduler.wait_for_death();
      is_over = true;
    });
    EXPECT_EQ(scheduler.run(), RunResult::kFinished);
    EXPECT_TRUE(is_over);
    if (scheduler.any_has_died() && word.load() > 0 && word.load() < 10) died_in_the_middle = true;
  }
  EXPECT_TRUE(died_in_the_middle);
}

}  // namespace
}  // namespace thornback::testing

#endif
