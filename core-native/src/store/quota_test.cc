// Grants of several arenas over one table of words.
#include "store/quota.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "testing/store/store_testing.h"

namespace thornback::store {
namespace {

using testing::Random;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint32_t kWords = 8;

struct Table {
  std::atomic<uint64_t> granted[kWords]{};
  std::atomic<uint32_t> high_water{kWords};

  Quota quota(uint64_t capacity, uint32_t own) {
    return {capacity, granted, kWords, own, &high_water};
  }
  uint64_t sum() const {
    uint64_t total = 0;
    for (const auto& word : granted) total += word.load();
    return total;
  }
};

TEST(Quota, GrantsWhatIsWantedOrWhatIsLeft) {
  Table table;
  Quota first = table.quota(100 * kMiB, 0);
  Quota second = table.quota(100 * kMiB, 1);
  EXPECT_TRUE(first.take(kMiB, 64 * kMiB));
  EXPECT_EQ(first.granted_bytes(), 64 * kMiB);
  EXPECT_TRUE(second.take(kMiB, 64 * kMiB));
  EXPECT_EQ(second.granted_bytes(), 36 * kMiB);
  EXPECT_FALSE(first.take(1, 1));
  EXPECT_EQ(first.others_bytes(), 36 * kMiB);
  EXPECT_EQ(first.others_count(), 1U);
  EXPECT_EQ(table.sum(), 100 * kMiB);
  second.give_back(4 * kMiB);
  EXPECT_FALSE(first.take(5 * kMiB, 5 * kMiB));
  EXPECT_TRUE(first.take(4 * kMiB, 5 * kMiB));
}

TEST(Quota, AloneKnowsItsCapacity) {
  Quota quota = Quota::alone(10 * kMiB);
  EXPECT_TRUE(quota.take(kMiB, 8 * kMiB));
  EXPECT_TRUE(quota.take(kMiB, 8 * kMiB));
  EXPECT_EQ(quota.granted_bytes(), 10 * kMiB);
  EXPECT_FALSE(quota.take(1, 1));
}

TEST(Quota, GarbageInTheTableRefusesAndDoesNoMore) {
  Table table;
  table.granted[3] = UINT64_MAX;
  table.granted[4] = UINT64_MAX;
  table.high_water = UINT32_MAX;
  Quota quota = table.quota(100 * kMiB, 0);
  EXPECT_FALSE(quota.take(kMiB, kMiB));
  table.granted[3] = 0;
  table.granted[4] = 0;
  table.granted[0] = 12345;  // somebody writes a word that is not theirs
  EXPECT_TRUE(quota.take(kMiB, kMiB));
  EXPECT_EQ(quota.granted_bytes(), kMiB);
}

// A raise that a death left behind keeps others from nothing but its bytes.
TEST(Quota, MarkOfTheDeadDoesNotBlock) {
  Table table;
  table.granted[5] = (40 * kMiB) | 1;
  Quota quota = table.quota(100 * kMiB, 0);
  EXPECT_TRUE(quota.take(60 * kMiB, 60 * kMiB));
  EXPECT_FALSE(quota.take(kMiB, kMiB));
}

// Threads with all their might: never more than the capacity.
TEST(Quota, NeverGrantsTooMuch) {
  const uint64_t seed = testing::test_seed();
  SCOPED_TRACE("THORNBACK_SEED=" + std::to_string(seed));
  constexpr uint64_t kCapacity = 64 * kMiB;
  constexpr int kRounds = 20'000;
  Table table;
  std::atomic<uint64_t> held{0};
  std::atomic<uint64_t> granted_count{0};
  std::atomic<bool> is_too_much{false};
  std::vector<std::thread> threads;
  for (uint32_t own = 0; own < 3; ++own) {
    threads.emplace_back([&, own] {
      Random random(seed + own);
      Quota quota = table.quota(kCapacity, own);
      for (int round = 0; round < kRounds; ++round) {
        const uint64_t needed = (1 + random.below(40)) * kMiB;
        if (!quota.take(needed, needed + random.below(8 * kMiB))) continue;
        const uint64_t got = quota.granted_bytes();
        if (held.fetch_add(got) + got > kCapacity) is_too_much = true;
        granted_count.fetch_add(1);
        held.fetch_sub(got);
        quota.give_back(got);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(is_too_much.load());
  EXPECT_GT(granted_count.load(), 0U);
  EXPECT_EQ(table.sum(), 0U);
}

}  // namespace
}  // namespace thornback::store
