#include "store/extent_bins.h"

#include <bit>

namespace thornback::store {

ExtentBins::Bin ExtentBins::bin_of(uint64_t pages) {
  if (pages < kSteps) return {0, static_cast<uint32_t>(pages)};
  const uint32_t row = static_cast<uint32_t>(std::bit_width(pages)) - kStepBits;
  return {row, static_cast<uint32_t>(pages >> (row - 1)) - kSteps};
}

// Last in, first out within a bin: what was freed last is what the caches may still hold.
void ExtentBins::insert(std::vector<Extent>& extents, uint32_t index) {
  Extent& extent = extents[index];
  const Bin bin = bin_of(extent.pages);
  uint32_t& head = heads_[bin.row][bin.step];
  extent.bin_previous = 0;
  extent.bin_next = head;
  if (head != 0) extents[head].bin_previous = index;
  head = index;
  steps_[bin.row] |= 1U << bin.step;
  rows_ |= uint64_t{1} << bin.row;
}

void ExtentBins::remove(std::vector<Extent>& extents, uint32_t index) {
  const Extent& extent = extents[index];
  if (extent.bin_next != 0) extents[extent.bin_next].bin_previous = extent.bin_previous;
  if (extent.bin_previous != 0) {
    extents[extent.bin_previous].bin_next = extent.bin_next;
    return;
  }
  const Bin bin = bin_of(extent.pages);
  heads_[bin.row][bin.step] = extent.bin_next;
  if (extent.bin_next != 0) return;
  steps_[bin.row] &= ~(1U << bin.step);
  if (steps_[bin.row] == 0) rows_ &= ~(uint64_t{1} << bin.row);
}

uint32_t ExtentBins::find(const std::vector<Extent>& extents, uint64_t pages) const {
  const Bin bin = bin_of(pages);
  // Extents of the same bin may be too short, by less than a step.
  int looked = 0;
  uint32_t index = heads_[bin.row][bin.step];
  for (; index != 0 && looked < kLookAtMost; index = extents[index].bin_next, ++looked) {
    if (extents[index].pages >= pages) return index;
  }
  const uint32_t longer_steps = steps_[bin.row] & static_cast<uint32_t>(~uint64_t{1} << bin.step);
  const uint32_t same_row = bin.step + 1 < kSteps ? longer_steps : 0;
  if (same_row != 0) return heads_[bin.row][std::countr_zero(same_row)];
  const uint64_t rows = rows_ & (~uint64_t{1} << bin.row);
  if (rows != 0) {
    const auto row = static_cast<uint32_t>(std::countr_zero(rows));
    return heads_[row][std::countr_zero(steps_[row])];
  }
  // Nothing longer: the rest of the own bin is the last hope, and worth its length.
  for (; index != 0; index = extents[index].bin_next) {
    if (extents[index].pages >= pages) return index;
  }
  return 0;
}

uint32_t ExtentBins::find_largest() const {
  if (rows_ == 0) return 0;
  const auto row = static_cast<uint32_t>(std::bit_width(rows_)) - 1;
  return heads_[row][std::bit_width(steps_[row]) - 1];
}

}  // namespace thornback::store
