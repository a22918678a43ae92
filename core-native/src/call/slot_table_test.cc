#include "call/slot_table.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <unordered_map>

namespace thornback::call {
namespace {

TEST(SlotTableTest, StaleHandlesFindNothing) {
  SlotTable<std::string> table;
  const uint64_t first = table.insert();
  *table.find(first) = "first";
  table.erase(first);
  const uint64_t second = table.insert();
  EXPECT_NE(first, second);
  EXPECT_EQ(table.find(first), nullptr);
  EXPECT_TRUE(table.find(second)->empty());
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(UINT64_MAX >> 11), nullptr);
}

TEST(SlotTableTest, BehavesLikeAMapUnderRandomUse) {
  SlotTable<std::string> table;
  std::unordered_map<uint64_t, std::string> model;
  std::mt19937 random(11);
  for (int step = 0; step < 200'000; ++step) {
    if (model.empty() || random() % 3 != 0) {
      const uint64_t handle = table.insert();
      ASSERT_LT(handle, uint64_t{1} << 53);
      const bool is_new = model.emplace(handle, std::to_string(step)).second;
      ASSERT_TRUE(is_new);
      *table.find(handle) = std::to_string(step);
    } else {
      const auto victim = model.begin();
      ASSERT_EQ(*table.find(victim->first), victim->second);
      table.erase(victim->first);
      model.erase(victim);
    }
  }
  EXPECT_EQ(table.size(), model.size());
  uint64_t visited = 0;
  table.for_each([&](uint64_t handle, std::string& value) {
    EXPECT_EQ(model.at(handle), value);
    ++visited;
  });
  EXPECT_EQ(visited, model.size());
}

}  // namespace
}  // namespace thornback::call
