#include "call/inbox.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace thornback::call {
namespace {

constexpr auto kAllThere = [](uint64_t) { return true; };

// The next call, or 0.
uint64_t take(Inbox& inbox, uint32_t* group = nullptr) {
  uint64_t handle = 0;
  uint32_t from = 0;
  if (!inbox.take(kAllThere, handle, from)) return 0;
  if (group != nullptr) *group = from;
  return handle;
}

TEST(FairQueueTest, LanesTakeTurnsAndKeepTheirOrder) {
  FairQueue queue;
  for (uint64_t i = 0; i < 4; ++i) queue.push(7, 70 + i);
  queue.push(2, 20);
  queue.push(9, 90);
  queue.push(2, 21);
  std::vector<uint64_t> order;
  while (!queue.is_empty()) order.push_back(queue.pop());
  EXPECT_EQ(order, (std::vector<uint64_t>{70, 20, 90, 71, 21, 72, 73}));
}

TEST(FairQueueTest, ALaneThatCameBackWaitsForOneOfEachOther) {
  FairQueue queue;
  for (uint64_t i = 0; i < 100; ++i) queue.push(1, i);
  for (uint64_t turn = 0; turn < 20; ++turn) {
    queue.push(2, 1000 + turn);
    const uint64_t first = queue.pop(), second = queue.pop();
    EXPECT_TRUE(first >= 1000 || second >= 1000) << "at most one of the other lane goes first";
  }
}

TEST(FairQueueTest, BehavesLikeAQueuePerLane) {
  std::mt19937 random(31);
  FairQueue queue;
  std::map<uint32_t, std::deque<uint64_t>> model;
  uint64_t next = 1;
  uint64_t size = 0;
  for (int step = 0; step < 300'000; ++step) {
    if (size == 0 || random() % 2 == 0) {
      const auto lane = static_cast<uint32_t>(random() % 12);
      queue.push(lane, next << 8 | lane);
      model[lane].push_back(next << 8 | lane);
      ++next;
      ++size;
    } else {
      const uint64_t handle = queue.pop();
      std::deque<uint64_t>& lane = model[static_cast<uint32_t>(handle & 0xff)];
      ASSERT_FALSE(lane.empty());
      ASSERT_EQ(handle, lane.front());
      lane.pop_front();
      --size;
    }
    ASSERT_EQ(queue.is_empty(), size == 0);
  }
}

class InboxTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kInstance = 5;
  static constexpr uint32_t kSlow = 11, kHealth = 12, kNamed = 21;

  Inbox inbox_;
};

TEST_F(InboxTest, WithoutGroupsCallsComeAsTheyArrive) {
  EXPECT_FALSE(inbox_.has_ready());
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(inbox_.add(i, 0, kInstance, kSlow, 0));
  uint32_t group = 0;
  EXPECT_EQ(take(inbox_, &group), 1U);
  EXPECT_EQ(group, kNoGroup);
  EXPECT_EQ(take(inbox_), 2U);
  EXPECT_EQ(take(inbox_), 3U);
  EXPECT_EQ(take(inbox_), 0U);
  EXPECT_FALSE(inbox_.add(4, 0, kInstance, kSlow, kNamed)) << "a group that does not exist";
}

TEST_F(InboxTest, AGroupGivesOutAsManyAsItsLimit) {
  ASSERT_TRUE(inbox_.set_groups(kInstance, {{0, 2}, {kNamed, 1}}, {{kHealth, 1}}));
  for (uint64_t i = 1; i <= 4; ++i) EXPECT_TRUE(inbox_.add(i, 0, kInstance, kSlow, 0));
  EXPECT_TRUE(inbox_.add(10, 0, kInstance, kHealth, 0)) << "the method's own group";
  EXPECT_TRUE(inbox_.add(11, 0, kInstance, kSlow, kNamed)) << "the call's wish";
  EXPECT_FALSE(inbox_.add(12, 0, kInstance, kSlow, 99));
  EXPECT_EQ(inbox_.group_names(kInstance), std::vector<uint32_t>{kNamed});
  std::set<uint64_t> given;
  while (const uint64_t handle = take(inbox_)) given.insert(handle);
  EXPECT_EQ(given, (std::set<uint64_t>{1, 2, 10}));
  EXPECT_FALSE(inbox_.has_ready()) << "what is full is not ready";
  inbox_.give_back(kInstance, 0);
  EXPECT_EQ(take(inbox_), 3U);
  EXPECT_EQ(take(inbox_), 0U);
  inbox_.give_back(kInstance, 1);
  EXPECT_EQ(take(inbox_), 11U);
}

TEST_F(InboxTest, LimitsChangeWhileCallsRun) {
  ASSERT_TRUE(inbox_.set_groups(kInstance, {{0, 1}}, {}));
  for (uint64_t i = 1; i <= 6; ++i) EXPECT_TRUE(inbox_.add(i, 0, kInstance, kSlow, 0));
  EXPECT_EQ(take(inbox_), 1U);
  EXPECT_EQ(take(inbox_), 0U);
  ASSERT_TRUE(inbox_.set_groups(kInstance, {{0, 3}}, {}));
  EXPECT_EQ(take(inbox_), 2U);
  EXPECT_EQ(take(inbox_), 3U);
  EXPECT_EQ(take(inbox_), 0U);
  ASSERT_TRUE(inbox_.set_groups(kInstance, {{0, 1}}, {}));
  inbox_.give_back(kInstance, 0);
  inbox_.give_back(kInstance, 0);
  EXPECT_EQ(take(inbox_), 0U) << "one is still running";
  inbox_.give_back(kInstance, 0);
  EXPECT_EQ(take(inbox_), 4U);
  EXPECT_FALSE(inbox_.set_groups(kInstance, {{0, 1}, {kNamed, 1}}, {})) << "other groups";
}

TEST_F(InboxTest, CallsThatAreGoneArePassedOverAndTakeNoPlace) {
  ASSERT_TRUE(inbox_.set_groups(kInstance, {{0, 2}}, {}));
  for (uint64_t i = 1; i <= 6; ++i) EXPECT_TRUE(inbox_.add(i, 0, kInstance, kSlow, 0));
  const auto is_even = [](uint64_t handle) { return handle % 2 == 0; };
  uint64_t handle = 0;
  uint32_t group = 0;
  ASSERT_TRUE(inbox_.take(is_even, handle, group));
  EXPECT_EQ(handle, 2U);
  ASSERT_TRUE(inbox_.take(is_even, handle, group));
  EXPECT_EQ(handle, 4U);
  EXPECT_FALSE(inbox_.take(is_even, handle, group));
  inbox_.give_back(kInstance, 0);
  ASSERT_TRUE(inbox_.take(is_even, handle, group));
  EXPECT_EQ(handle, 6U);
}

TEST_F(InboxTest, AForgottenInstanceGivesItsQueueWithoutLimit) {
  ASSERT_TRUE(inbox_.set_groups(kInstance, {{0, 1}, {kNamed, 1}}, {}));
  for (uint64_t i = 1; i <= 6; ++i)
    EXPECT_TRUE(inbox_.add(i, i % 2 == 0, kInstance, kSlow, i > 3 ? kNamed : 0));
  std::set<uint64_t> given{take(inbox_), take(inbox_)};
  EXPECT_EQ(take(inbox_), 0U);
  ASSERT_TRUE(inbox_.set_groups(kInstance, {}, {}));
  while (const uint64_t handle = take(inbox_)) given.insert(handle);
  EXPECT_EQ(given, (std::set<uint64_t>{1, 2, 3, 4, 5, 6}));
  inbox_.give_back(kInstance, 0);  // of a call that ran meanwhile
  EXPECT_TRUE(inbox_.add(7, 0, kInstance, kSlow, 0));
  EXPECT_EQ(take(inbox_), 7U);
}

// Against a plain count per group: never more than the limit, nothing left lying that could run.
TEST_F(InboxTest, KeepsEveryLimitUnderRandomUse) {
  std::mt19937 random(77);
  std::vector<GroupLimit> limits{{0, 3}, {kNamed, 1}, {kNamed + 1, 7}};
  ASSERT_TRUE(inbox_.set_groups(kInstance, limits, {}));
  std::vector<std::vector<uint64_t>> running(limits.size());
  std::vector<std::deque<uint64_t>> waiting(limits.size());
  uint64_t next = 1;
  for (int step = 0; step < 200'000; ++step) {
    const uint32_t choice = static_cast<uint32_t>(random() % 20);
    const uint32_t at = static_cast<uint32_t>(random() % limits.size());
    if (choice < 9) {
      const uint64_t handle = next++ * limits.size() + at;
      ASSERT_TRUE(inbox_.add(handle, 0, kInstance, kSlow, limits[at].name));
      waiting[at].push_back(handle);
    } else if (choice < 19) {
      if (running[at].empty()) continue;
      running[at].pop_back();
      inbox_.give_back(kInstance, at);
    } else {
      limits[at].limit = static_cast<uint32_t>(1 + random() % 8);
      ASSERT_TRUE(inbox_.set_groups(kInstance, limits, {}));
    }
    uint32_t group = 0;
    while (const uint64_t handle = take(inbox_, &group)) {
      ASSERT_EQ(handle % limits.size(), group);
      ASSERT_EQ(handle, waiting[group].front());
      waiting[group].pop_front();
      running[group].push_back(handle);
      ASSERT_LE(running[group].size(), limits[group].limit);
    }
    for (size_t i = 0; i < limits.size(); ++i)
      ASSERT_TRUE(waiting[i].empty() || running[i].size() >= limits[i].limit);
  }
}

}  // namespace
}  // namespace thornback::call
