// Large objects: runs of whole pages. Free runs are warm (backed by memory) or cold; neighbours of
// one kind are merged at once. Allocation prefers warm pages, which are written an order of
// magnitude faster than fresh ones, then the best-fitting hole.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "store/arena_layout.h"
#include "store/extent_bins.h"
#include "store/pages.h"

namespace thornback::store {

class Extents {
 public:
  // The extents lie in [offset, offset + bytes) of the file.
  Extents(Pages& pages, uint64_t offset, uint64_t bytes);

  // A free run that is out of the free lists and not yet in use.
  struct Claim {
    uint32_t first = 0;  // extents from `first` to `last`
    uint32_t last = 0;
    uint64_t fresh_bytes = 0;  // not backed yet
  };
  // A run for `bytes`. Nothing if no hole is long enough; giving back warm pages can make one.
  std::optional<Claim> claim(uint64_t bytes);

  struct Run {
    uint32_t extent = 0;
    uint64_t offset = 0;
  };
  // Backs the whole run; claim.fresh_bytes were reserved before. After a failure abandon() is due.
  Result<Run> commit(const Claim& claim);
  void abandon(const Claim& claim);
  void free(uint32_t extent);

  uint64_t warm_bytes() const { return warm_pages_ * kPageBytes; }
  // Gives at least `bytes` of free pages back to the system, or all.
  uint64_t trim(uint64_t bytes);

 private:
  static bool is_free(Extent::State state) {
    return state == Extent::State::kWarm || state == Extent::State::kCold;
  }
  uint32_t split(uint32_t index, uint64_t pages);
  void merge_upper(uint32_t index);
  void put_back(uint32_t index, Extent::State state);
  ExtentBins& bins_of(Extent::State state);
  void take_out(uint32_t index);
  std::optional<Claim> claim_mixed(uint64_t pages);
  Claim claim_window(uint32_t index, uint64_t first_page, uint64_t pages);
  uint64_t file_offset(uint32_t index) const;
  bool cool(uint32_t index, uint64_t pages);

  Pages& pages_;
  uint64_t offset_;
  uint64_t warm_pages_ = 0;
  std::vector<Extent> extents_;  // [0] stands for none
  std::vector<uint32_t> recycled_;
  ExtentBins warm_;
  ExtentBins cold_;
};

}  // namespace thornback::store
