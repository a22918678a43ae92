// Slots and generations at their limits.
#include "store/directory.h"

#include <gtest/gtest.h>

#include <vector>

namespace thornback::store {
namespace {

using Directory = OwnerDirectory<std::atomic>;

TEST(Directory, FillsUpAndReusesTheSlotFreedLast) {
  std::vector<DirectoryEntry> entries(3);
  Directory directory(entries.data(), 3);
  const ObjectName first = directory.enter(0, 1);
  const ObjectName second = directory.enter(64, 1);
  EXPECT_FALSE(directory.is_full());
  directory.enter(128, 1);
  EXPECT_TRUE(directory.is_full());
  directory.retire(first);
  directory.retire(second);
  EXPECT_FALSE(directory.is_full());
  EXPECT_EQ(directory.enter(64, 1), (ObjectName{second.slot, 2}));
  EXPECT_EQ(directory.enter(0, 1), (ObjectName{first.slot, 2}));
  EXPECT_TRUE(directory.is_full());
}

// A slot whose generations are used up is not used again: no name ever means two objects.
TEST(Directory, SlotEndsWithItsLastGeneration) {
  std::vector<DirectoryEntry> entries(1);
  Directory directory(entries.data(), 1);
  ObjectName name = directory.enter(0, 1);
  directory.retire(name);
  entries[0].word = make_word(UINT32_MAX, ObjectState::kFree);
  name = directory.enter(0, 1);
  EXPECT_EQ(name, (ObjectName{0, UINT32_MAX}));
  directory.seal(name, {}, false);
  EXPECT_EQ(read_entry(entries[0], UINT32_MAX).outcome, EntryView::Outcome::kSealed);
  directory.retire(name);
  EXPECT_EQ(read_entry(entries[0], UINT32_MAX).outcome, EntryView::Outcome::kNotFound);
  EXPECT_EQ(read_entry(entries[0], 0).outcome, EntryView::Outcome::kNotFound);
  EXPECT_FALSE(directory.find(name).has_value());
  EXPECT_TRUE(directory.is_full());
}

TEST(Directory, WordsOfNoStateAreNonsense) {
  DirectoryEntry entry{};
  entry.word = make_word(1, ObjectState::kWriting);
  EXPECT_EQ(read_entry(entry, 1).outcome, EntryView::Outcome::kNotFound);
  entry.word = make_word(1, ObjectState::kSealed) + 100;
  EXPECT_EQ(read_entry(entry, 1).outcome, EntryView::Outcome::kNonsense);
  entry.word = make_word(1, ObjectState::kSealed) | uint64_t{1} << 50;
  EXPECT_EQ(read_entry(entry, 1).outcome, EntryView::Outcome::kNonsense);
}

}  // namespace
}  // namespace thornback::store
