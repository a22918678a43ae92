#include "shm/spin.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <memory>

namespace thornback::shm {
namespace {

constexpr int64_t kLong = 60'000'000'000;  // no test waits for it to pass

struct Spinning : ::testing::Test {
  std::unique_ptr<NodeBoard> board = std::make_unique<NodeBoard>();
  EndpointRecord own;
  EndpointRecord peer;
  int looks = 0;

  void SetUp() override {
    board->cpu_count = 2;
    board->high_water = 2;
    peer.cpu = -1;
  }
  // Ready at look number `count`.
  auto ready_after(int count) {
    return [this, count] { return ++looks > count; };
  }
  static bool never() { return false; }
};

TEST_F(Spinning, WaitsForAPeerOnAnotherCpu) {
  peer.cpu = 4096;  // nobody's own
  Spinner spinner(own, *board, kLong);
  EXPECT_TRUE(spinner.spin(ready_after(1000), &peer));
  EXPECT_GE(own.cpu.load(), 0);
}

TEST_F(Spinning, WaitsForASleepingPeer) {
  Spinner spinner(own, *board, kLong);
  EXPECT_TRUE(spinner.spin(ready_after(1000), &peer));
}

TEST_F(Spinning, StopsAtOnceForAPeerOnThisCpu) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t here;
  CPU_ZERO(&here);
  const int cpu = sched_getcpu();
  CPU_SET(static_cast<size_t>(cpu), &here);
  ASSERT_EQ(sched_setaffinity(0, sizeof here, &here), 0);
  peer.cpu = cpu;
  Spinner spinner(own, *board, kLong);
  EXPECT_FALSE(spinner.spin(ready_after(2), &peer));
  EXPECT_EQ(looks, 1);
  // A peer that comes here meanwhile ends the spin as well.
  peer.cpu = 4096;
  EXPECT_FALSE(spinner.spin(
      [&] {
        if (++looks > 10) peer.cpu = cpu;
        return false;
      },
      &peer));
  EXPECT_LT(looks, 1000);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST_F(Spinning, LooksOnceWithoutPeerOrBudget) {
  Spinner spinner(own, *board, kLong);
  EXPECT_TRUE(spinner.spin([] { return true; }, nullptr));
  EXPECT_FALSE(spinner.spin(ready_after(2), nullptr));
  EXPECT_EQ(looks, 1);
  Spinner off(own, *board, 0);
  EXPECT_FALSE(off.spin(ready_after(2), &peer));
  EXPECT_EQ(looks, 2);
}

TEST_F(Spinning, StopsWhileMoreEndpointsRunThanThereAreCpus) {
  board->high_water = 100;
  for (const int index : {0, 50, 99}) board->activity[index] = 1;
  Spinner spinner(own, *board, kLong);
  EXPECT_FALSE(spinner.spin(ready_after(2), &peer));
  EXPECT_EQ(looks, 1);
  board->activity[50] = 0;
  EXPECT_TRUE(spinner.spin(ready_after(2), &peer));
  EXPECT_FALSE(spinner.spin(
      [&] {
        if (++looks > 10) board->activity[50] = 1;
        return false;
      },
      &peer));
}

TEST_F(Spinning, AHighWaterMarkBeyondTheBoardIsNotBelieved) {
  board->high_water = ~0U;
  EXPECT_FALSE(board->is_crowded());
}

TEST_F(Spinning, GivesUpAfterMissesAndTriesAgain) {
  constexpr int64_t kShort = 20'000;
  Spinner spinner(own, *board, kShort);
  EXPECT_EQ(spinner.budget_ns(), kShort);
  int spins = 0;
  int skipped = 0;
  for (int turn = 0; turn < 200; ++turn) {
    const bool is_skipped = spinner.budget_ns() == 0;
    looks = 0;
    EXPECT_FALSE(spinner.spin([this] { return ++looks < 0; }, &peer));
    (is_skipped ? skipped : spins) += 1;
    EXPECT_EQ(looks == 1, is_skipped);
  }
  EXPECT_GT(spins, 5);
  EXPECT_GT(skipped, 8 * spins);
  // One success brings spinning back.
  while (spinner.budget_ns() == 0) spinner.spin(never, &peer);
  EXPECT_TRUE(spinner.spin(ready_after(0), &peer) || spinner.spin(ready_after(3), &peer));
  EXPECT_GT(spinner.budget_ns(), 0);
}

TEST_F(Spinning, TheBudgetFollowsTheWaitsSeen) {
  Spinner spinner(own, *board, kLong);
  for (int turn = 0; turn < 500; ++turn) {
    looks = 0;
    ASSERT_TRUE(spinner.spin(ready_after(5), &peer));
  }
  // Far below the start, far above the wait: see kBudgetNsMin.
  EXPECT_LT(spinner.budget_ns(), kLong / 10);
  EXPECT_GE(spinner.budget_ns(), 10'000);
}

}  // namespace
}  // namespace thornback::shm
