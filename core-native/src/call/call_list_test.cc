#include "call/call_list.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace thornback::call {
namespace {

std::vector<uint64_t> drain(CallList& list) {
  std::vector<uint64_t> order;
  for (; !list.empty(); list.pop_front()) order.push_back(list.front());
  return order;
}

TEST(CallListTest, HigherFirstAndInOrderAmongEquals) {
  CallList list;
  list.push_back(1);
  list.push_back(2, -5);
  list.push_back(3, 10);
  list.push_back(4);
  list.push_back(5, 10);
  EXPECT_EQ(list.size(), 5U);
  EXPECT_EQ(drain(list), (std::vector<uint64_t>{3, 5, 1, 4, 2}));
  EXPECT_TRUE(list.empty());
}

TEST(CallListTest, WhatComesBackGoesInFrontOfItsEqualsOnly) {
  CallList list;
  list.push_back(1, 1);
  list.push_back(2);
  list.push_back(3);
  list.push_front(4);
  list.push_front(5, -1);
  EXPECT_EQ(drain(list), (std::vector<uint64_t>{1, 4, 2, 3, 5}));
}

TEST(CallListTest, ExtremePrioritiesAreOrdered) {
  CallList list;
  list.push_back(1, INT32_MIN);
  list.push_back(2, INT32_MAX);
  list.push_back(3, 0);
  EXPECT_EQ(drain(list), (std::vector<uint64_t>{2, 3, 1}));
}

TEST(CallListTest, BehavesLikeAStableSortUnderRandomUse) {
  std::mt19937 random(5);
  CallList list;
  std::map<int32_t, std::deque<uint64_t>, std::greater<>> model;
  uint64_t size = 0;
  for (uint64_t step = 1; step < 300'000; ++step) {
    // Phases with few and with many different priorities: empty ones are dropped beyond a number.
    const uint32_t spread = step / 20'000 % 2 == 0 ? 5 : 1000;
    const auto priority = static_cast<int32_t>(random() % spread) - 2;
    const auto choice = static_cast<uint32_t>(random() % 4);
    if (choice == 0) {
      list.push_front(step, priority);
      model[priority].push_front(step);
      ++size;
    } else if (choice == 1) {
      list.push_back(step, priority);
      model[priority].push_back(step);
      ++size;
    } else if (size > 0) {
      ASSERT_EQ(list.front(), model.begin()->second.front()) << step;
      list.pop_front();
      model.begin()->second.pop_front();
      if (model.begin()->second.empty()) model.erase(model.begin());
      --size;
    }
    ASSERT_EQ(list.size(), size);
    ASSERT_EQ(list.empty(), size == 0);
  }
}

}  // namespace
}  // namespace thornback::call
