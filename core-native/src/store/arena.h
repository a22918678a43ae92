// The owner's side of an arena: allocates objects, seals and frees them. Used by one thread at a
// time. Not for reading others' objects (ArenaReader), and not for anything that has to move or
// grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/status.h"
#include "store/directory.h"
#include "store/extents.h"
#include "store/lazy_array.h"
#include "store/object_name.h"
#include "store/pages.h"
#include "store/quota.h"
#include "store/slabs.h"

namespace thornback::store {

// What the allocator knows lives in private memory of the owner; peers see the directory and the
// bytes. Tests put in a directory whose atomics are crash points.
template <class Directory>
class BasicArena {
 public:
  struct Allocation {
    ObjectName name;
    std::byte* data = nullptr;
    uint64_t size = 0;
  };

  // `bytes_max`: the most that objects can take at once, and so the largest object. The address
  // space is several times as large, so that scattered free pages always leave a gap that is long
  // enough. TBK_NO_MEMORY when the quota's capacity is more than the machine has.
  static Result<std::unique_ptr<BasicArena>> create(uint64_t bytes_max, Quota quota);

  // Open for reading only: who receives it can map the arena, but not for writing.
  int fd() const { return pages_->read_only_fd(); }

  // An object to be written: 64-byte aligned, page-aligned if large, contents undefined.
  // TBK_STORE_FULL if it does not fit; the text says what was asked, used and allowed. Large ones
  // may block for as long as the kernel needs to provide fresh pages (about 0.6 s per GiB).
  Result<Allocation> allocate(uint64_t size);

  // Makes a written object visible to readers, for good. `companion` is slot + 1 of an object of
  // this arena that belongs to it (its ref table) or 0; it is freed with it. False and without
  // effect if `name` is no object being written, or `companion` none that is sealed.
  bool seal(ObjectName name, uint32_t companion);

  // Ends the object and its companion, in any state; false if `name` is stale. Nobody may read it
  // any more: who it was handed to has given it back.
  bool free(ObjectName name);

  // The bytes of an own object in any state.
  std::optional<std::span<std::byte>> find(ObjectName name);

  // Gives pages that hold no object back to the system until at most `keep_bytes` of them are left,
  // and the capacity with them. For when other arenas are short of capacity. Returns what it gave
  // back.
  uint64_t trim(uint64_t keep_bytes);

  uint64_t objects_live() const { return objects_live_; }
  uint64_t bytes_live() const { return bytes_live_; }               // as asked for
  uint64_t bytes_committed() const { return pages_->committed(); }  // in memory, used or warm
  uint64_t bytes_granted() const { return pages_->granted(); }

 private:
  struct Place {
    uint64_t offset = 0;
    uint32_t extent = 0;  // of a large object
  };

  BasicArena(std::unique_ptr<Pages> pages, uint64_t bytes_max, uint64_t extents_bytes);

  Result<Place> place(uint64_t size);
  Result<Place> place_small(uint64_t size);
  Result<Place> place_large(uint64_t size);
  Status make_room(uint64_t size, uint64_t fresh_bytes);
  Status grow_directory(uint64_t size);
  Status full(uint64_t size, const std::string& reason) const;
  void release(uint32_t slot, uint64_t offset, uint64_t size);
  uint64_t warm_bytes() const { return slabs_.warm_bytes() + extents_.warm_bytes(); }
  uint64_t warm_bytes_max(uint64_t freed_bytes);
  uint64_t cool(uint64_t bytes);

  std::unique_ptr<Pages> pages_;
  Directory directory_;
  Slabs slabs_;
  Extents extents_;
  LazyArray<uint32_t> extent_of_slot_;
  uint64_t bytes_max_;
  uint64_t directory_backed_ = 0;  // slots whose memory is counted, beyond the first piece
  uint32_t frees_since_look_ = 0;
  uint64_t objects_live_ = 0;
  uint64_t bytes_live_ = 0;
};

using Arena = BasicArena<OwnerDirectory<std::atomic>>;
extern template class BasicArena<OwnerDirectory<std::atomic>>;

}  // namespace thornback::store
