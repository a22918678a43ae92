// The owner's interface, one rule at a time.
#include "store/arena.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "testing/store/store_testing.h"

namespace thornback::store {
namespace {

using testing::bytes_in_memory;
using ::testing::HasSubstr;
using testing::must;
using testing::new_arena;
using testing::new_reader;

constexpr uint64_t kMiB = uint64_t{1} << 20;

uint64_t address(const Arena::Allocation& object) {
  return reinterpret_cast<uint64_t>(object.data);
}

TEST(Arena, ObjectIsInvisibleUntilItIsSealed) {
  auto arena = new_arena(16 * kMiB);
  auto reader = new_reader(arena->fd());
  const auto object = must(arena->allocate(100));
  EXPECT_EQ(reader->read(object.name).status().code(), TBK_NOT_FOUND);
  EXPECT_TRUE(arena->find(object.name).has_value());
  std::memset(object.data, 'x', 100);
  EXPECT_TRUE(arena->seal(object.name, 0));
  const auto seen = must(reader->read(object.name));
  EXPECT_EQ(seen.size, 100U);
  EXPECT_EQ(seen.name, object.name);
  EXPECT_FALSE(seen.has_companion());
  EXPECT_EQ(std::memcmp(seen.data, object.data, 100), 0);
}

TEST(Arena, StaleNamesFindNothing) {
  auto arena = new_arena(16 * kMiB);
  auto reader = new_reader(arena->fd());
  const auto first = must(arena->allocate(100));
  arena->seal(first.name, 0);
  EXPECT_TRUE(arena->free(first.name));
  EXPECT_FALSE(arena->free(first.name));
  EXPECT_FALSE(arena->seal(first.name, 0));
  EXPECT_FALSE(arena->find(first.name).has_value());
  const auto second = must(arena->allocate(100));
  arena->seal(second.name, 0);
  EXPECT_EQ(second.name.slot, first.name.slot);
  EXPECT_NE(second.name.generation, first.name.generation);
  EXPECT_EQ(reader->read(first.name).status().code(), TBK_NOT_FOUND);
  EXPECT_TRUE(reader->read(second.name).is_ok());
  EXPECT_FALSE(arena->free(first.name));
  EXPECT_TRUE(arena->find(second.name).has_value());
}

TEST(Arena, NamesThatWereNeverGivenOutFindNothing) {
  auto arena = new_arena(16 * kMiB);
  for (const ObjectName name : {ObjectName{0, 0}, ObjectName{0, 1}, ObjectName{7, 1},
                                ObjectName{UINT32_MAX, UINT32_MAX}, ObjectName{kSlotsMax, 1}}) {
    EXPECT_FALSE(arena->find(name).has_value());
    EXPECT_FALSE(arena->free(name));
    EXPECT_FALSE(arena->seal(name, 0));
  }
}

TEST(Arena, SealingTwiceIsRefused) {
  auto arena = new_arena(16 * kMiB);
  const auto object = must(arena->allocate(1));
  EXPECT_TRUE(arena->seal(object.name, 0));
  EXPECT_FALSE(arena->seal(object.name, 0));
}

TEST(Arena, ObjectsAreAligned) {
  auto arena = new_arena(64 * kMiB);
  for (const uint64_t size : std::initializer_list<uint64_t>{0, 1, 63, 64, 65, 100, 2049, 16384,
                                                             16385, 100'000, 3'000'000}) {
    const auto object = must(arena->allocate(size));
    EXPECT_EQ(object.size, size);
    EXPECT_EQ(address(object) % (size > 16384 ? 4096 : 64), 0U) << size;
  }
}

TEST(Arena, EmptyObjectsAreObjects) {
  auto arena = new_arena(kMiB);
  auto reader = new_reader(arena->fd());
  const auto first = must(arena->allocate(0));
  const auto second = must(arena->allocate(0));
  EXPECT_NE(address(first), address(second));
  arena->seal(first.name, 0);
  EXPECT_EQ(must(reader->read(first.name)).size, 0U);
  EXPECT_EQ(must(reader->map_private(first.name)).size, 0U);
}

TEST(Arena, CompanionIsFoundAndGoesWithItsObject) {
  auto arena = new_arena(16 * kMiB);
  auto reader = new_reader(arena->fd());
  const auto object = must(arena->allocate(100'000));
  const auto table = must(arena->allocate(32));
  EXPECT_FALSE(arena->seal(object.name, table.name.slot + 1)) << "the table is not sealed yet";
  EXPECT_FALSE(arena->seal(object.name, object.name.slot + 1));
  EXPECT_FALSE(arena->seal(object.name, UINT32_MAX));
  EXPECT_TRUE(arena->seal(table.name, 0));
  EXPECT_TRUE(arena->seal(object.name, table.name.slot + 1));
  const auto seen = must(reader->read(object.name));
  ASSERT_TRUE(seen.has_companion());
  EXPECT_EQ(seen.companion, table.name.slot + 1);
  EXPECT_EQ(seen.companion_name(), table.name);
  EXPECT_EQ(must(reader->read(seen.companion_name())).size, 32U);
  EXPECT_TRUE(arena->free(object.name));
  EXPECT_EQ(reader->read(table.name).status().code(), TBK_NOT_FOUND);
  EXPECT_FALSE(arena->free(table.name));
  EXPECT_EQ(arena->objects_live(), 0U);
  EXPECT_EQ(arena->bytes_live(), 0U);
}

// A companion that was freed by itself, and whose slot another object has, is not freed a second
// time.
TEST(Arena, StaleCompanionIsLeftAlone) {
  auto arena = new_arena(16 * kMiB);
  const auto object = must(arena->allocate(100));
  const auto table = must(arena->allocate(32));
  arena->seal(table.name, 0);
  arena->seal(object.name, table.name.slot + 1);
  EXPECT_TRUE(arena->free(table.name));
  const auto other = must(arena->allocate(32));
  ASSERT_EQ(other.name.slot, table.name.slot);
  EXPECT_TRUE(arena->free(object.name));
  EXPECT_TRUE(arena->find(other.name).has_value());
}

TEST(Arena, FullStoreSaysWhatWasAskedAndWhatThereIs) {
  auto arena = new_arena(4 * kMiB);
  const auto object = must(arena->allocate(3 * kMiB));
  const auto refused = arena->allocate(2 * kMiB);
  ASSERT_FALSE(refused.is_ok());
  EXPECT_EQ(refused.status().code(), TBK_STORE_FULL);
  EXPECT_THAT(refused.status().text(), HasSubstr("2097152 bytes"));
  EXPECT_THAT(refused.status().text(), HasSubstr("3145728"));
  EXPECT_THAT(refused.status().text(), HasSubstr("capacity is 4194304"));
  EXPECT_THAT(refused.status().text(), HasSubstr("larger store"));
  arena->free(object.name);
  EXPECT_TRUE(arena->allocate(4 * kMiB).is_ok());
}

TEST(Arena, AbsurdSizesAreRefused) {
  auto arena = new_arena(4 * kMiB);
  for (const uint64_t size : {4 * kMiB + 1, uint64_t{1} << 44, UINT64_MAX - 4095, UINT64_MAX}) {
    EXPECT_EQ(arena->allocate(size).status().code(), TBK_STORE_FULL) << size;
  }
  EXPECT_TRUE(arena->allocate(1).is_ok());
  EXPECT_EQ(Arena::create(0, Quota::alone(1)).status().code(), TBK_INVALID);
  EXPECT_EQ(Arena::create(UINT64_MAX, Quota::alone(1)).status().code(), TBK_INVALID);
}

TEST(Arena, CapacityBeyondTheMachineIsRefused) {
  const auto refused = Arena::create(kMiB, Quota::alone(uint64_t{1} << 50));
  ASSERT_FALSE(refused.is_ok());
  EXPECT_EQ(refused.status().code(), TBK_NO_MEMORY);
  EXPECT_THAT(refused.status().text(), HasSubstr("this machine has only"));
}

TEST(Arena, CountsWhatLives) {
  auto arena = new_arena(16 * kMiB);
  const auto small = must(arena->allocate(100));
  const auto large = must(arena->allocate(100'000));
  EXPECT_EQ(arena->objects_live(), 2U);
  EXPECT_EQ(arena->bytes_live(), 100'100U);
  EXPECT_GE(arena->bytes_granted(), arena->bytes_committed());
  arena->free(small.name);
  arena->free(large.name);
  EXPECT_EQ(arena->objects_live(), 0U);
  EXPECT_EQ(arena->bytes_live(), 0U);
}

TEST(Arena, FreedMemoryIsUsedAgainWhileItIsWarm) {
  auto arena = new_arena(64 * kMiB);
  for (const uint64_t size : {uint64_t{100}, 5 * kMiB}) {
    const auto first = must(arena->allocate(size));
    arena->free(first.name);
    EXPECT_EQ(address(must(arena->allocate(size))), address(first)) << size;
  }
}

// The first piece of the directory and the header are not counted: they are an arena's fixed cost.
TEST(Arena, CountsWhatTheKernelCounts) {
  auto arena = new_arena(64 * kMiB);
  const uint64_t fixed = bytes_in_memory(arena->fd());
  std::vector<ObjectName> names;
  for (const uint64_t size : {uint64_t{1}, uint64_t{5000}, kMiB, 20 * kMiB}) {
    names.push_back(must(arena->allocate(size)).name);
    EXPECT_LE(bytes_in_memory(arena->fd()) - fixed, arena->bytes_committed() + 4096);
    EXPECT_GE(bytes_in_memory(arena->fd()) - fixed, arena->bytes_committed());
  }
  for (const ObjectName name : names) arena->free(name);
  arena->trim(0);
  EXPECT_EQ(arena->bytes_committed(), 0U);
  EXPECT_LE(bytes_in_memory(arena->fd()), fixed + 4096);
}

TEST(Arena, KeepsOnlyItsShareOfWarmPages) {
  auto arena = new_arena(256 * kMiB);
  const auto object = must(arena->allocate(200 * kMiB));
  EXPECT_EQ(arena->bytes_committed(), 200 * kMiB);
  arena->free(object.name);
  EXPECT_LE(arena->bytes_committed(), 32 * kMiB);
  EXPECT_GT(arena->bytes_committed(), 16 * kMiB);
  EXPECT_LE(arena->bytes_granted(), 40 * kMiB);
  EXPECT_GT(arena->trim(8 * kMiB), 0U);
  EXPECT_LE(arena->bytes_committed(), 8 * kMiB);
}

// Arrays that grow a little with each round find the pages of the last one.
TEST(Arena, GrowingObjectsExtendWarmPages) {
  auto arena = new_arena(64 * kMiB);
  for (uint64_t size = kMiB; size < 2 * kMiB; size += 8192) {
    arena->free(must(arena->allocate(size)).name);
  }
  EXPECT_LE(arena->bytes_committed(), 2 * kMiB);
}

TEST(Arena, DirectoryOfManyObjectsIsCounted) {
  auto arena = new_arena(64 * kMiB);
  constexpr uint64_t kCount = 100'000;
  std::vector<ObjectName> names;
  for (uint64_t i = 0; i < kCount; ++i) names.push_back(must(arena->allocate(64)).name);
  // Overhead of a small object: its entry, its share of the bitmaps, and the rounding of its size.
  EXPECT_LE(bytes_in_memory(arena->fd()), kCount * (64 + 33) + kMiB / 4);
  EXPECT_LE(bytes_in_memory(arena->fd()), arena->bytes_committed() + 3 * 65536);
  for (const ObjectName name : names) EXPECT_TRUE(arena->free(name));
}

}  // namespace
}  // namespace thornback::store
