// The memory file of an arena: what readers in other processes rely on. Offsets count from its
// start.
//
//        0  +----------------------------------------------------------------+
//           | magic 8 | version 4 | slot_count 4 | file_bytes 8 | data_offset 8 | zeros
//     4096  +----------------------------------------------------------------+
//           | directory: slot_count entries of 32 bytes                      |
//           |    0  state word 8   generation << 8 | state                   |
//           |    8  offset 8       of the first object byte, multiple of 64  |
//           |   16  size 8         in bytes                                  |
//           |   24  companion 4    slot + 1 of the object with its ref table |
//           |   28  companion_generation 4                                   |
//  data_offset (multiple of 2 MiB) ------------------------------------------+
//           | small objects: spans of 64 KiB, each cut into equal cells      |
//           | large objects: runs of whole pages                             |
// file_bytes +----------------------------------------------------------------+
//
// The file is sparse: untouched parts of directory and data cost no memory. Its owner alone writes;
// everybody else maps it read-only or privately, through a descriptor that is open for reading
// only.
//
// States of an entry, and who may look at what:
//
//            allocate                 seal                 free
//   free ---------------> writing ----------> sealed ---------------> free, next generation
//     ^                      |  free                                   |
//     +----------------------+-----------------------------------------+
//
//   free     the other fields mean nothing
//   writing  only the owner looks
//   sealed   nothing of it, and none of the object's bytes, changes until the word has moved on
//   retired  the slot has used up its generations and is never used again
//
// Crash order. Readers go by the state word alone, and every change of it is one store:
//   allocate  word stays free | offset, size | word = writing     dying anywhere: nobody finds it
//   seal      companion | word = sealed                           the object exists or it does not
//   free      word = free, next generation | memory is reused     no name leads to reused memory
// Whoever has the file mapped keeps reading the sealed objects of an owner that has died.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace thornback::store {

inline constexpr uint64_t kArenaMagic = 0x31304e52414b4254;  // "TBKARN01"
inline constexpr uint32_t kArenaVersion = 1;

inline constexpr uint64_t kPageBytes = 4096;
inline constexpr uint64_t kDataAlignment = uint64_t{2} << 20;  // of the data area, for huge pages
inline constexpr uint64_t kObjectAlignment = 64;
inline constexpr uint32_t kSlotsMax = uint32_t{4} << 20;  // objects that live at once in an arena

enum class ObjectState : uint8_t { kFree = 0, kWriting = 1, kSealed = 2, kRetired = 3 };

struct ArenaHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t slot_count;
  uint64_t file_bytes;
  uint64_t data_offset;
  uint8_t zeros[kPageBytes - 32];
};

template <template <class> class Atomic>
struct DirectoryEntryT {
  Atomic<uint64_t> word;
  Atomic<uint64_t> offset;
  Atomic<uint64_t> size;
  Atomic<uint32_t> companion;
  Atomic<uint32_t> companion_generation;
};
using DirectoryEntry = DirectoryEntryT<std::atomic>;

constexpr uint64_t make_word(uint32_t generation, ObjectState state) {
  return uint64_t{generation} << 8 | static_cast<uint8_t>(state);
}
constexpr uint32_t word_generation(uint64_t word) {
  return static_cast<uint32_t>(word >> 8);
}

constexpr uint64_t round_up(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

inline constexpr uint64_t kDirectoryOffset = sizeof(ArenaHeader);
inline constexpr uint64_t kDirectoryBytes = uint64_t{kSlotsMax} * sizeof(DirectoryEntry);
inline constexpr uint64_t kDataOffset =
    round_up(kDirectoryOffset + kDirectoryBytes, kDataAlignment);

static_assert(std::is_trivial_v<ArenaHeader> && sizeof(ArenaHeader) == kPageBytes);
static_assert(offsetof(ArenaHeader, slot_count) == 12 && offsetof(ArenaHeader, file_bytes) == 16);
static_assert(offsetof(ArenaHeader, data_offset) == 24);
static_assert(std::is_standard_layout_v<DirectoryEntry> && sizeof(DirectoryEntry) == 32);
static_assert(offsetof(DirectoryEntry, offset) == 8 && offsetof(DirectoryEntry, size) == 16);
static_assert(offsetof(DirectoryEntry, companion) == 24);
static_assert(offsetof(DirectoryEntry, companion_generation) == 28);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace thornback::store
