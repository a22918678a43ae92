// The definitions of BasicArena, for arena.cc and for tests that put in a directory of their own.
#pragma once

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store/arena.h"
#include "store/machine_memory.h"

namespace thornback::store {

namespace arena_internal {

inline constexpr uint64_t kBytesMax = uint64_t{1} << 44;
// Large objects get this many times bytes_max of address space, so that what is free in scattered
// pieces can be given back to the system and had again in one piece elsewhere.
inline constexpr uint64_t kSpread = 4;
inline constexpr uint64_t kSpreadOfHuge = 2;
inline constexpr uint64_t kHugeBytes = uint64_t{32} << 30;
// The directory is backed in pieces of this size.
inline constexpr uint64_t kDirectoryStep = uint64_t{64} << 10;
inline constexpr uint32_t kSlotsPerStep = kDirectoryStep / sizeof(DirectoryEntry);
// Bounds of the pages that an arena keeps although they hold no object.
inline constexpr uint64_t kWarmBytesLeast = uint64_t{16} << 20;
inline constexpr uint64_t kWarmBytesMost = uint64_t{1} << 30;
inline constexpr uint64_t kWarmShare = 8;  // of the node's capacity, for all arenas together
inline constexpr uint64_t kLookBytes = uint64_t{1} << 20;
inline constexpr uint32_t kLookFrees = 64;

inline ArenaHeader make_header(uint64_t file_bytes) {
  ArenaHeader header{};
  header.magic = kArenaMagic;
  header.version = kArenaVersion;
  header.slot_count = kSlotsMax;
  header.file_bytes = file_bytes;
  header.data_offset = kDataOffset;
  return header;
}

}  // namespace arena_internal

template <class Directory>
Result<std::unique_ptr<BasicArena<Directory>>> BasicArena<Directory>::create(uint64_t bytes_max,
                                                                             Quota quota) {
  using namespace arena_internal;
  if (bytes_max == 0 || bytes_max > kBytesMax) {
    return Status(TBK_INVALID,
                  "an arena of " + std::to_string(bytes_max) + " bytes cannot be made");
  }
  const Result<MachineMemory> memory = machine_memory();
  if (memory.is_ok() && quota.capacity() > memory.value().total) {
    return Status(TBK_NO_MEMORY, "a store of " + std::to_string(quota.capacity()) +
                                     " bytes was asked for, but this machine has only " +
                                     std::to_string(memory.value().total) + " bytes of memory");
  }
  bytes_max = round_up(bytes_max, kSpanBytes);
  const uint64_t spread = bytes_max > kHugeBytes ? kSpreadOfHuge : kSpread;
  const uint64_t file_bytes = kDataOffset + bytes_max + spread * bytes_max;
  Result<std::unique_ptr<Pages>> pages = Pages::create(file_bytes, bytes_max, quota);
  if (!pages.is_ok()) return pages.status();
  // Nobody can look yet: the descriptor leaves this function after the header is complete.
  *reinterpret_cast<ArenaHeader*>(pages.value()->base()) = make_header(file_bytes);
  return std::unique_ptr<BasicArena>(new BasicArena(pages.take(), bytes_max, spread * bytes_max));
}

template <class Directory>
BasicArena<Directory>::BasicArena(std::unique_ptr<Pages> pages, uint64_t bytes_max,
                                  uint64_t extents_bytes)
    : pages_(std::move(pages)),
      directory_(reinterpret_cast<typename Directory::Entry*>(pages_->base() + kDirectoryOffset),
                 kSlotsMax),
      slabs_(*pages_, kDataOffset, bytes_max),
      extents_(*pages_, kDataOffset + bytes_max, extents_bytes),
      extent_of_slot_(kSlotsMax),
      bytes_max_(bytes_max) {}

template <class Directory>
Result<typename BasicArena<Directory>::Allocation> BasicArena<Directory>::allocate(uint64_t size) {
  if (directory_.is_full()) return full(size, "the arena's directory has no free slot");
  if (directory_.needs_new_slot()) TBK_RETURN_IF_ERROR(grow_directory(size));
  const Result<Place> where = place(size);
  if (!where.is_ok()) return where.status();
  const ObjectName name = directory_.enter(where.value().offset, size);
  if (where.value().extent != 0) extent_of_slot_[name.slot] = where.value().extent;
  ++objects_live_;
  bytes_live_ += size;
  return Allocation{name, pages_->base() + where.value().offset, size};
}

template <class Directory>
bool BasicArena<Directory>::seal(ObjectName name, uint32_t companion) {
  const auto record = directory_.find(name);
  if (!record || record->state != ObjectState::kWriting) return false;
  if (companion == 0) {
    directory_.seal(name, ObjectName{}, false);
    return true;
  }
  const std::optional<ObjectName> its = directory_.name_in(companion - 1);
  // Sealed already, so that nobody finds the object and not what belongs to it.
  if (!its || directory_.find(*its)->state != ObjectState::kSealed) return false;
  directory_.seal(name, *its, true);
  return true;
}

template <class Directory>
bool BasicArena<Directory>::free(ObjectName name) {
  const auto record = directory_.find(name);
  if (!record) return false;
  directory_.retire(name);
  release(name.slot, record->offset, record->size);
  if (record->companion != 0) {
    const ObjectName companion{record->companion - 1, record->companion_generation};
    if (const auto its = directory_.find(companion)) {
      directory_.retire(companion);
      release(companion.slot, its->offset, its->size);
    }
  }
  if (const uint64_t most = warm_bytes_max(record->size); warm_bytes() > most) {
    // Some more than has to be, so that the next object does not end here again.
    cool(warm_bytes() - most / 4 * 3);
    pages_->return_grant();
  }
  return true;
}

template <class Directory>
std::optional<std::span<std::byte>> BasicArena<Directory>::find(ObjectName name) {
  const auto record = directory_.find(name);
  if (!record) return std::nullopt;
  return std::span(pages_->base() + record->offset, record->size);
}

template <class Directory>
uint64_t BasicArena<Directory>::trim(uint64_t keep_bytes) {
  const uint64_t committed = pages_->committed();
  // Asking for more than there is also gives back the empty spans that are kept for their class.
  if (keep_bytes == 0) cool(committed);
  if (warm_bytes() > keep_bytes) cool(warm_bytes() - keep_bytes);
  pages_->return_grant();
  return committed - pages_->committed();
}

template <class Directory>
Result<typename BasicArena<Directory>::Place> BasicArena<Directory>::place(uint64_t size) {
  if (size > bytes_max_) return full(size, "no object can be larger than the arena");
  return size <= kSmallBytesMax ? place_small(size) : place_large(size);
}

template <class Directory>
Result<typename BasicArena<Directory>::Place> BasicArena<Directory>::place_small(uint64_t size) {
  const uint32_t index = size_class(size);
  std::optional<uint64_t> offset = slabs_.allocate(index);
  if (!offset) {
    TBK_RETURN_IF_ERROR(make_room(size, kSpanBytes));
    TBK_RETURN_IF_ERROR(slabs_.add_span());
    offset = slabs_.allocate(index);
    TBK_CHECK(offset.has_value());
  }
  return Place{*offset, 0};
}

template <class Directory>
Result<typename BasicArena<Directory>::Place> BasicArena<Directory>::place_large(uint64_t size) {
  std::optional<Extents::Claim> claim = extents_.claim(size);
  if (!claim) {
    // Warm pages may lie between cold ones. Cooled down they are one hole.
    extents_.trim(extents_.warm_bytes());
    claim = extents_.claim(size);
    if (!claim) return full(size, "the arena's address space is too fragmented");
  }
  if (claim->fresh_bytes != 0) {
    if (Status status = make_room(size, claim->fresh_bytes); !status.is_ok()) {
      extents_.abandon(*claim);
      return status;
    }
  }
  const Result<Extents::Run> run = extents_.commit(*claim);
  if (!run.is_ok()) {
    extents_.abandon(*claim);
    return run.status();
  }
  return Place{run.value().offset, run.value().extent};
}

// Makes the grant cover `fresh_bytes` more, giving up warm pages for it if it has to be.
template <class Directory>
Status BasicArena<Directory>::make_room(uint64_t size, uint64_t fresh_bytes) {
  using Reservation = Pages::Reservation;
  Reservation reservation = pages_->reserve(fresh_bytes);
  // Once around is enough unless other arenas take what becomes free.
  for (int round = 0; round < 3 && reservation != Reservation::kGranted; ++round) {
    const uint64_t missing = reservation == Reservation::kMachineFull
                                 ? fresh_bytes
                                 : pages_->reserve_partly(fresh_bytes);
    const uint64_t given = cool(missing);
    reservation = pages_->reserve(fresh_bytes);
    if (given == 0) break;
  }
  if (reservation == Reservation::kGranted) return Status::ok();
  pages_->return_grant();
  switch (reservation) {
    case Reservation::kArenaFull: return full(size, "the arena is full");
    case Reservation::kMachineFull: return full(size, "the machine is out of memory");
    default: return full(size, "the store is full");
  }
}

// The first piece is part of an arena's fixed cost and not counted; it is backed as it is touched.
template <class Directory>
Status BasicArena<Directory>::grow_directory(uint64_t size) {
  using namespace arena_internal;
  const uint64_t used = directory_.slots_used();
  if (used == 0 || used % kSlotsPerStep != 0) return Status::ok();
  if (used < directory_backed_) return Status::ok();
  TBK_RETURN_IF_ERROR(make_room(size, kDirectoryStep));
  TBK_RETURN_IF_ERROR(
      pages_->commit(kDirectoryOffset + used * sizeof(DirectoryEntry), kDirectoryStep));
  directory_backed_ = used + kSlotsPerStep;
  return Status::ok();
}

template <class Directory>
Status BasicArena<Directory>::full(uint64_t size, const std::string& reason) const {
  const Quota& quota = pages_->quota();
  return {TBK_STORE_FULL,
          reason + ": an object of " + std::to_string(size) +
              " bytes was asked for; this endpoint's " + std::to_string(objects_live_) +
              " objects take " + std::to_string(bytes_live_) + " of the " +
              std::to_string(quota.granted_bytes()) + " bytes granted to it (at most " +
              std::to_string(bytes_max_) + "), other endpoints were granted " +
              std::to_string(quota.others_bytes()) + ", the store's capacity is " +
              std::to_string(quota.capacity()) +
              ". Drop refs that are no longer needed, or start the session with a larger store"};
}

template <class Directory>
void BasicArena<Directory>::release(uint32_t slot, uint64_t offset, uint64_t size) {
  --objects_live_;
  bytes_live_ -= size;
  if (size <= kSmallBytesMax) {
    slabs_.free(offset);
  } else {
    extents_.free(extent_of_slot_[slot]);
  }
}

// Pages without objects are worth keeping, because fresh ones are written an order of magnitude
// slower, but they are capacity that other arenas of the node cannot have. How many share it is
// looked up now and then, and after objects whose writing took much longer than the look.
template <class Directory>
uint64_t BasicArena<Directory>::warm_bytes_max(uint64_t freed_bytes) {
  using namespace arena_internal;
  if (warm_bytes() <= kWarmBytesLeast) return kWarmBytesLeast;
  Quota& quota = pages_->quota();
  if (freed_bytes >= kLookBytes || ++frees_since_look_ >= kLookFrees) {
    quota.refresh();
    frees_since_look_ = 0;
  }
  const uint64_t share = quota.capacity() / kWarmShare / (quota.others_count() + 1);
  return std::clamp(share, kWarmBytesLeast, kWarmBytesMost);
}

// Gives at least `bytes` of pages without objects back to the system, or all; large runs first,
// because each piece costs a system call.
template <class Directory>
uint64_t BasicArena<Directory>::cool(uint64_t bytes) {
  const uint64_t given = extents_.trim(bytes);
  return given >= bytes ? given : given + slabs_.trim(bytes - given);
}

}  // namespace thornback::store
