// Free extents by size, found in constant time (two-level segregated fit, after Masmano, Ripoll,
// Crespo and Real, "TLSF: a new dynamic memory allocator for real-time systems", 2004).
#pragma once

#include <cstdint>
#include <vector>

namespace thornback::store {

// A run of pages, used or free. Extents form a list by address that covers the whole zone.
struct Extent {
  enum class State : uint8_t {
    kUnused,       // the record itself is free
    kUsed,         // holds an object
    kWarm,         // free, backed by memory
    kCold,         // free, not backed
    kClaimedWarm,  // about to be used: out of the bins, not merged with its neighbours
    kClaimedCold,
  };

  uint64_t first_page = 0;
  uint64_t pages = 0;
  uint32_t lower = 0;  // neighbours by address; 0 is none
  uint32_t upper = 0;
  uint32_t bin_previous = 0;
  uint32_t bin_next = 0;
  State state = State::kUnused;
};

class ExtentBins {
 public:
  void insert(std::vector<Extent>& extents, uint32_t index);
  void remove(std::vector<Extent>& extents, uint32_t index);
  // An extent of at least `pages`, the smallest size class that has one; 0 if there is none.
  uint32_t find(const std::vector<Extent>& extents, uint64_t pages) const;
  // One of the largest; 0 if there is none.
  uint32_t find_largest() const;

 private:
  // Sizes below kSteps pages have a bin each; above, kSteps bins per doubling.
  static constexpr uint32_t kStepBits = 5;
  static constexpr uint32_t kSteps = 1U << kStepBits;
  static constexpr uint32_t kRows = 65 - kStepBits;
  static constexpr int kLookAtMost = 16;

  struct Bin {
    uint32_t row;
    uint32_t step;
  };
  static Bin bin_of(uint64_t pages);

  uint64_t rows_ = 0;           // bit r: steps_[r] is not 0
  uint32_t steps_[kRows] = {};  // bit s: heads_[r][s] is not 0
  uint32_t heads_[kRows][kSteps] = {};
};

}  // namespace thornback::store
