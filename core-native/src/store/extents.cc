#include "store/extents.h"

#include <algorithm>

#include "base/check.h"

namespace thornback::store {

using State = Extent::State;

Extents::Extents(Pages& pages, uint64_t offset, uint64_t bytes)
    : pages_(pages), offset_(offset), extents_(2) {
  extents_[1].pages = bytes / kPageBytes;
  extents_[1].state = State::kCold;
  cold_.insert(extents_, 1);
}

uint64_t Extents::file_offset(uint32_t index) const {
  return offset_ + extents_[index].first_page * kPageBytes;
}

std::optional<Extents::Claim> Extents::claim(uint64_t bytes) {
  const uint64_t pages = round_up(bytes, kPageBytes) / kPageBytes;
  if (const uint32_t warm = warm_.find(extents_, pages); warm != 0) {
    return claim_window(warm, extents_[warm].first_page, pages);
  }
  if (std::optional<Claim> claim = claim_mixed(pages); claim) return claim;
  const uint32_t cold = cold_.find(extents_, pages);
  if (cold == 0) return std::nullopt;
  return claim_window(cold, extents_[cold].first_page, pages);
}

// The largest warm extent with what is free next to it. Without this, arrays that grow a little
// with each round would leave a trail of warm extents that are all just too short.
std::optional<Extents::Claim> Extents::claim_mixed(uint64_t pages) {
  constexpr int kNeighboursMax = 16;
  const uint32_t warm = warm_.find_largest();
  if (warm == 0) return std::nullopt;
  uint32_t lowest = warm;
  uint32_t highest = warm;
  for (int step = 0; step < kNeighboursMax && is_free(extents_[extents_[highest].upper].state);
       ++step) {
    highest = extents_[highest].upper;
  }
  const uint64_t end = extents_[highest].first_page + extents_[highest].pages;
  for (int step = 0; step < kNeighboursMax && is_free(extents_[extents_[lowest].lower].state);
       ++step) {
    if (end - extents_[lowest].first_page >= pages) break;
    lowest = extents_[lowest].lower;
  }
  if (end - extents_[lowest].first_page < pages) return std::nullopt;
  const uint64_t first_page = std::min(extents_[warm].first_page, end - pages);
  uint32_t index = warm;
  while (extents_[index].first_page > first_page) index = extents_[index].lower;
  return claim_window(index, first_page, pages);
}

// Claims `pages` from `first_page` on, which lies in `index`. All of it is free; what sticks out of
// the window at both ends stays free.
Extents::Claim Extents::claim_window(uint32_t index, uint64_t first_page, uint64_t pages) {
  take_out(index);
  const uint64_t below = first_page - extents_[index].first_page;
  if (below != 0) {
    const State state = extents_[index].state;
    const uint32_t inside = split(index, below);
    extents_[inside].state = State::kClaimedWarm;  // keeps put_back() from merging it
    put_back(index, state);
    extents_[inside].state = state;
    index = inside;
  }
  Claim claim{index, index, 0};
  for (uint64_t left = pages;;) {
    const State state = extents_[index].state;
    const uint64_t taken = std::min(left, extents_[index].pages);
    const uint32_t outside = taken < extents_[index].pages ? split(index, taken) : 0;
    extents_[index].state = state == State::kWarm ? State::kClaimedWarm : State::kClaimedCold;
    if (outside != 0) put_back(outside, state);
    if (state == State::kCold) claim.fresh_bytes += taken * kPageBytes;
    claim.last = index;
    left -= taken;
    if (left == 0) return claim;
    index = extents_[index].upper;
    take_out(index);
  }
}

Result<Extents::Run> Extents::commit(const Claim& claim) {
  for (uint32_t index = claim.first;; index = extents_[index].upper) {
    Extent& extent = extents_[index];
    if (extent.state == State::kClaimedCold) {
      const Status status = pages_.commit(file_offset(index), extent.pages * kPageBytes);
      if (!status.is_ok()) return status;
      extent.state = State::kClaimedWarm;
    }
    if (index == claim.last) break;
  }
  for (bool is_whole = claim.first == claim.last; !is_whole;) {
    is_whole = extents_[claim.first].upper == claim.last;
    merge_upper(claim.first);
  }
  extents_[claim.first].state = State::kUsed;
  return Run{claim.first, file_offset(claim.first)};
}

void Extents::abandon(const Claim& claim) {
  for (uint32_t index = claim.first;;) {
    const uint32_t upper = extents_[index].upper;
    const bool is_last = index == claim.last;
    put_back(index, extents_[index].state == State::kClaimedWarm ? State::kWarm : State::kCold);
    if (is_last) return;
    index = upper;
  }
}

void Extents::free(uint32_t extent) {
  TBK_CHECK(extents_[extent].state == State::kUsed);
  put_back(extent, State::kWarm);
}

uint64_t Extents::trim(uint64_t bytes) {
  const uint64_t warm_before = warm_pages_;
  const uint64_t pages = round_up(bytes, kPageBytes) / kPageBytes;
  while (warm_before - warm_pages_ < pages && warm_pages_ != 0) {
    const uint32_t largest = warm_.find_largest();
    const uint64_t wanted = pages - (warm_before - warm_pages_);
    if (!cool(largest, std::min(wanted, extents_[largest].pages))) break;
  }
  return (warm_before - warm_pages_) * kPageBytes;
}

// Gives the last `pages` of a warm extent back to the system.
bool Extents::cool(uint32_t index, uint64_t pages) {
  take_out(index);
  if (pages < extents_[index].pages) {
    const uint32_t upper = split(index, extents_[index].pages - pages);
    extents_[upper].state = State::kClaimedWarm;
    put_back(index, State::kWarm);
    index = upper;
  }
  const bool is_given = pages_.decommit(file_offset(index), pages * kPageBytes);
  put_back(index, is_given ? State::kCold : State::kWarm);
  return is_given;
}

ExtentBins& Extents::bins_of(State state) {
  return state == State::kWarm ? warm_ : cold_;
}

void Extents::take_out(uint32_t index) {
  const Extent& extent = extents_[index];
  bins_of(extent.state).remove(extents_, index);
  if (extent.state == State::kWarm) warm_pages_ -= extent.pages;
}

// Makes an extent free that is in no bin, merged with neighbours of its kind.
void Extents::put_back(uint32_t index, State state) {
  extents_[index].state = state;
  if (const uint32_t lower = extents_[index].lower; extents_[lower].state == state) {
    take_out(lower);
    merge_upper(lower);
    index = lower;
  }
  if (const uint32_t upper = extents_[index].upper; extents_[upper].state == state) {
    take_out(upper);
    merge_upper(index);
  }
  bins_of(state).insert(extents_, index);
  if (state == State::kWarm) warm_pages_ += extents_[index].pages;
}

// Cuts an extent after `pages`; the new upper part has its state. Neither is put into a bin.
uint32_t Extents::split(uint32_t index, uint64_t pages) {
  uint32_t created = 0;
  if (recycled_.empty()) {
    created = static_cast<uint32_t>(extents_.size());
    extents_.emplace_back();
  } else {
    created = recycled_.back();
    recycled_.pop_back();
  }
  Extent& lower = extents_[index];
  Extent& upper = extents_[created];
  upper = Extent{};
  upper.first_page = lower.first_page + pages;
  upper.pages = lower.pages - pages;
  upper.state = lower.state;
  upper.lower = index;
  upper.upper = lower.upper;
  if (lower.upper != 0) extents_[lower.upper].lower = created;
  lower.pages = pages;
  lower.upper = created;
  return created;
}

// Joins an extent with its upper neighbour; neither is in a bin.
void Extents::merge_upper(uint32_t index) {
  Extent& lower = extents_[index];
  const uint32_t gone = lower.upper;
  lower.pages += extents_[gone].pages;
  lower.upper = extents_[gone].upper;
  if (lower.upper != 0) extents_[lower.upper].lower = index;
  extents_[gone] = Extent{};
  recycled_.push_back(gone);
}

}  // namespace thornback::store
