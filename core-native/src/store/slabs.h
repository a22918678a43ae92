// Small objects: spans of 64 KiB, each cut into cells of one size class. Which cells are free is
// known from bitmaps in private memory, so that nothing a peer or a stray write does to object
// bytes can lead the allocator astray.
#pragma once

#include <cstdint>
#include <optional>

#include "base/status.h"
#include "store/lazy_array.h"
#include "store/pages.h"
#include "store/size_classes.h"

namespace thornback::store {

inline constexpr uint64_t kSpanBytes = uint64_t{64} << 10;

class Slabs {
 public:
  // The spans lie in [offset, offset + bytes) of the file, which has room for all that may ever be
  // committed.
  Slabs(Pages& pages, uint64_t offset, uint64_t bytes);

  // A cell out of the spans that are backed by memory, as a file offset; nothing if there is none.
  std::optional<uint64_t> allocate(uint32_t size_class) {
    if (partial_[size_class] == 0 && !adopt_warm_span(size_class)) return std::nullopt;
    return take_cell(size_class);
  }
  // Backs one more span; kSpanBytes were reserved before.
  Status add_span();
  void free(uint64_t offset);

  // Spans without objects that are backed by memory, last used first.
  uint64_t warm_bytes() const { return warm_count_ * kSpanBytes; }
  // Gives at least `bytes` of them back, or all; empty spans that are kept for their class too.
  uint64_t trim(uint64_t bytes);

 private:
  static constexpr uint32_t kWords = kSpanBytes / kCellGranule / 64;

  struct Span {
    uint64_t free_cells[kWords];
    uint32_t free_words;  // bit i: free_cells[i] is not 0
    uint16_t free_count;
    uint16_t cell_count;
    uint32_t size_class;
    uint32_t previous;  // in its list; span + 1, 0 is none
    uint32_t next;
  };

  bool adopt_warm_span(uint32_t size_class);
  uint64_t take_cell(uint32_t size_class);
  void push_partial(uint32_t span);
  void remove_partial(uint32_t span);
  void release_if_empty(uint32_t span);

  Pages& pages_;
  uint64_t offset_;
  uint32_t spans_max_;
  uint32_t spans_used_ = 0;  // spans below this were in use at some time
  uint64_t warm_count_ = 0;
  uint32_t warm_ = 0;  // lists: span + 1
  uint32_t cold_ = 0;
  uint32_t partial_[kSizeClasses] = {};  // spans of a class with free cells
  LazyArray<Span> spans_;
};

}  // namespace thornback::store
