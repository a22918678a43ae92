// No object is refused while a fifth of the capacity is free, whatever came and went before. Sizes
// are those of a store of some GiB with objects of up to 1 GiB, scaled down.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "testing/store/store_testing.h"

namespace thornback::store {
namespace {

using testing::must;
using testing::new_arena;
using testing::Random;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kCapacity = 64 * kMiB;
constexpr uint64_t kFillMost = kCapacity / 10 * 8;

class Filler {
 public:
  explicit Filler(uint64_t seed) : random_(seed), arena_(new_arena(kCapacity)) {}

  // Makes room by freeing random objects, then allocates. What was freed before must be enough.
  void allocate(uint64_t size) {
    while (arena_->bytes_live() + size > kFillMost) free_random();
    const auto object = arena_->allocate(size);
    ASSERT_TRUE(object.is_ok()) << size << " bytes: " << object.status().text();
    names_.push_back(object.value().name);
  }
  void free_random() { free_at(random_.below(names_.size())); }
  void free_every_second() {
    for (size_t index = 0; index < names_.size(); ++index) free_at(index);
  }

  Random& random() { return random_; }
  uint64_t bytes_live() const { return arena_->bytes_live(); }

 private:
  void free_at(size_t index) {
    ASSERT_TRUE(arena_->free(names_[index]));
    names_[index] = names_.back();
    names_.pop_back();
  }

  Random random_;
  std::unique_ptr<Arena> arena_;
  std::vector<ObjectName> names_;
};

TEST(ArenaFragmentation, RandomSizesOfAllMagnitudes) {
  const uint64_t seed = testing::test_seed();
  SCOPED_TRACE("THORNBACK_SEED=" + std::to_string(seed));
  Filler filler(seed);
  for (int step = 0; step < 10'000 && !HasFatalFailure(); ++step) {
    filler.allocate(filler.random().size_up_to(kCapacity / 8));
  }
}

TEST(ArenaFragmentation, RandomSizesThatAreMostlyLarge) {
  const uint64_t seed = testing::test_seed();
  SCOPED_TRACE("THORNBACK_SEED=" + std::to_string(seed));
  Filler filler(seed);
  for (int step = 0; step < 1000 && !HasFatalFailure(); ++step) {
    filler.allocate(1 + filler.random().below(kCapacity / 8));
  }
}

// Combs: full of one size, every second one freed, then a size that is too large for each hole.
TEST(ArenaFragmentation, HolesThatAreJustTooShort) {
  Filler filler(1);
  for (uint64_t size = 20'000; size < kCapacity / 8 && !HasFatalFailure(); size = size * 3 / 2) {
    while (filler.bytes_live() + size <= kFillMost && !HasFatalFailure()) filler.allocate(size);
    filler.free_every_second();
  }
}

}  // namespace
}  // namespace thornback::store
