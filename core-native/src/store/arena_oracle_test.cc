// Random use of an arena against a model of what it must contain.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "testing/store/store_testing.h"

namespace thornback::store {
namespace {

using testing::fill_pattern;
using testing::has_pattern;
using testing::must;
using testing::new_arena;
using testing::new_reader;
using testing::Random;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class Oracle {
 public:
  Oracle(uint64_t seed, uint64_t capacity)
      : random_(seed), arena_(new_arena(capacity)), reader_(new_reader(arena_->fd())) {}

  void step() {
    const uint64_t choice = random_.below(100);
    if (choice < 45) return allocate();
    if (choice < 65) return seal();
    if (choice < 95) return free();
    if (choice < 97) return ask_stale();
    if (choice < 99) return check(pick());
    arena_->trim(random_.below(4 * kMiB));
  }
  void finish() {
    for (size_t index = 0; index < objects_.size(); ++index) check(index);
    while (!objects_.empty()) free();
    EXPECT_EQ(arena_->objects_live(), 0U);
    arena_->trim(0);
    EXPECT_EQ(arena_->bytes_committed(), directory_bytes());
  }

 private:
  struct Object {
    ObjectName name;
    std::byte* data;
    uint64_t size;
    uint64_t tag;
    bool is_sealed;
  };

  size_t pick() { return objects_.empty() ? SIZE_MAX : random_.below(objects_.size()); }
  uint64_t directory_bytes() const {
    return most_live_ <= 2048 ? 0 : (most_live_ - 1) / 2048 * 65536;
  }

  void allocate() {
    const uint64_t size =
        random_.one_in(50) ? 0 : random_.size_up_to(random_.one_in(4) ? 3 * kMiB : 3000);
    const auto result = arena_->allocate(size);
    if (!result.is_ok()) {
      EXPECT_EQ(result.status().code(), TBK_STORE_FULL) << result.status().text();
      for (int i = 0; i < 5; ++i) free();
      return;
    }
    const auto object = result.value();
    // Neighbours by address end before it begins and begin after it ends.
    const auto above = places_.lower_bound(object.data);
    if (above != places_.end()) {
      EXPECT_LE(object.data + size, above->first);
    }
    if (above != places_.begin()) {
      const auto below = std::prev(above);
      EXPECT_LE(below->first + below->second, object.data);
    }
    places_[object.data] = std::max<uint64_t>(size, 1);
    fill_pattern(object.data, size, ++tag_);
    objects_.push_back({object.name, object.data, size, tag_, false});
    most_live_ = std::max<uint64_t>(most_live_, objects_.size());
  }

  void seal() {
    const size_t index = pick();
    if (index == SIZE_MAX) return;
    EXPECT_EQ(arena_->seal(objects_[index].name, 0), !objects_[index].is_sealed);
    objects_[index].is_sealed = true;
  }

  void free() {
    const size_t index = pick();
    if (index == SIZE_MAX) return;
    check(index);
    const Object object = objects_[index];
    EXPECT_TRUE(arena_->free(object.name));
    places_.erase(object.data);
    stale_.push_back(object.name);
    objects_[index] = objects_.back();
    objects_.pop_back();
  }

  void ask_stale() {
    if (stale_.empty()) return;
    const ObjectName name = stale_[random_.below(stale_.size())];
    EXPECT_FALSE(arena_->find(name).has_value());
    EXPECT_FALSE(arena_->free(name));
    EXPECT_EQ(reader_->read(name).status().code(), TBK_NOT_FOUND);
  }

  void check(size_t index) {
    if (index == SIZE_MAX) return;
    const Object& object = objects_[index];
    const auto own = arena_->find(object.name);
    ASSERT_TRUE(own.has_value());
    EXPECT_EQ(own->data(), object.data);
    EXPECT_EQ(own->size(), object.size);
    EXPECT_TRUE(has_pattern(object.data, object.size, object.tag));
    const auto seen = reader_->read(object.name);
    EXPECT_EQ(seen.status().code(), object.is_sealed ? TBK_OK : TBK_NOT_FOUND);
    if (!seen.is_ok()) return;
    EXPECT_EQ(seen.value().size, object.size);
    EXPECT_TRUE(has_pattern(seen.value().data, object.size, object.tag));
  }

  Random random_;
  std::unique_ptr<Arena> arena_;
  std::unique_ptr<ArenaReader> reader_;
  std::vector<Object> objects_;
  std::vector<ObjectName> stale_;
  std::map<std::byte*, uint64_t> places_;
  uint64_t tag_ = 0;
  uint64_t most_live_ = 0;
};

TEST(ArenaOracle, RandomUseMatchesTheModel) {
  const uint64_t seed = testing::test_seed();
  for (uint64_t run = 0; run < 4 && !::testing::Test::HasFailure(); ++run) {
    SCOPED_TRACE("THORNBACK_SEED=" + std::to_string(seed + run));
    Oracle oracle(seed + run, run % 2 == 0 ? 8 * kMiB : 64 * kMiB);
    for (int step = 0; step < 6000 && !::testing::Test::HasFailure(); ++step) oracle.step();
    oracle.finish();
  }
}

}  // namespace
}  // namespace thornback::store
