// The object directory of an arena (arena_layout.h): the owner's steps and the reader's look.
#pragma once

#include <cstdint>
#include <optional>

#include "base/check.h"
#include "store/arena_layout.h"
#include "store/object_name.h"

namespace thornback::store {

// Written by the owner only, so that it may believe what it reads here. Free slots form a list
// through their `companion` fields, last freed first.
template <template <class> class Atomic>
class OwnerDirectory {
 public:
  using Entry = DirectoryEntryT<Atomic>;

  OwnerDirectory(Entry* entries, uint32_t slot_count)
      : entries_(entries), slot_count_(slot_count) {}

  bool is_full() const { return free_head_ == 0 && slots_used_ == slot_count_; }
  // Slots that were ever in use: what of the directory lies in memory.
  uint32_t slots_used() const { return slots_used_; }
  // Whether the next object takes a slot that was never used.
  bool needs_new_slot() const { return free_head_ == 0; }

  // Enters an object that is being written. Not when the directory is full.
  ObjectName enter(uint64_t offset, uint64_t size) {
    const uint32_t slot = pop_slot();
    Entry& entry = entries_[slot];
    const uint32_t generation = word_generation(entry.word.load(std::memory_order_relaxed));
    // SYNC: pairs with the loads of offset, size and companion in read_entry(): a reader of the
    // slot's last object that sees one of these stores also sees, looking at the word again, that
    // it is gone.
    entry.offset.store(offset, std::memory_order_release);
    entry.size.store(size, std::memory_order_release);
    entry.companion.store(0, std::memory_order_release);
    entry.companion_generation.store(0, std::memory_order_release);
    entry.word.store(make_word(generation, ObjectState::kWriting), std::memory_order_release);
    return {slot, generation};
  }

  // `name` is being written. Its bytes were written before by this thread.
  void seal(ObjectName name, ObjectName companion, bool has_companion) {
    Entry& entry = entries_[name.slot];
    if (has_companion) {
      entry.companion.store(companion.slot + 1, std::memory_order_relaxed);
      entry.companion_generation.store(companion.generation, std::memory_order_relaxed);
    }
    // SYNC: pairs with the first load of the word in read_entry(): who sees the object sealed sees
    // its bytes and its entry.
    entry.word.store(make_word(name.generation, ObjectState::kSealed), std::memory_order_release);
  }

  // Ends the name of a live object. Its memory may be written again after this.
  void retire(ObjectName name) {
    Entry& entry = entries_[name.slot];
    if (name.generation == UINT32_MAX) {
      entry.word.store(make_word(name.generation, ObjectState::kRetired),
                       std::memory_order_release);
      return;
    }
    entry.word.store(make_word(name.generation + 1, ObjectState::kFree), std::memory_order_release);
    entry.companion.store(free_head_, std::memory_order_release);
    free_head_ = name.slot + 1;
  }

  struct Record {
    uint64_t offset;
    uint64_t size;
    ObjectState state;
    uint32_t companion;
    uint32_t companion_generation;
  };
  // The live object of that name, in any state.
  std::optional<Record> find(ObjectName name) const {
    if (name.slot >= slots_used_) return std::nullopt;
    const Entry& entry = entries_[name.slot];
    const uint64_t word = entry.word.load(std::memory_order_relaxed);
    const auto state = static_cast<ObjectState>(word & 0xff);
    if (word_generation(word) != name.generation) return std::nullopt;
    if (state != ObjectState::kWriting && state != ObjectState::kSealed) return std::nullopt;
    return Record{entry.offset.load(std::memory_order_relaxed),
                  entry.size.load(std::memory_order_relaxed), state,
                  entry.companion.load(std::memory_order_relaxed),
                  entry.companion_generation.load(std::memory_order_relaxed)};
  }
  // The name of the live object in a slot.
  std::optional<ObjectName> name_in(uint32_t slot) const {
    if (slot >= slots_used_) return std::nullopt;
    const ObjectName name{slot,
                          word_generation(entries_[slot].word.load(std::memory_order_relaxed))};
    if (!find(name)) return std::nullopt;
    return name;
  }

 private:
  uint32_t pop_slot() {
    if (free_head_ != 0) {
      const uint32_t slot = free_head_ - 1;
      free_head_ = entries_[slot].companion.load(std::memory_order_relaxed);
      return slot;
    }
    TBK_CHECK(slots_used_ < slot_count_);
    const uint32_t slot = slots_used_++;
    // A slot's first object has generation 1: the zeros of untouched memory name nothing.
    entries_[slot].word.store(make_word(1, ObjectState::kFree), std::memory_order_release);
    return slot;
  }

  Entry* entries_;
  uint32_t slot_count_;
  uint32_t slots_used_ = 0;
  uint32_t free_head_ = 0;  // slot + 1
};

// What a reader saw of an entry.
struct EntryView {
  enum class Outcome : uint8_t { kSealed, kNotFound, kNonsense };

  Outcome outcome = Outcome::kNotFound;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint32_t companion = 0;
  uint32_t companion_generation = 0;
};

// The entry of `name`, if it is sealed under that generation. The fields are as the owner wrote
// them, unchecked; they belong to this object and not to the slot's next one.
template <template <class> class Atomic>
EntryView read_entry(const DirectoryEntryT<Atomic>& entry, uint32_t generation) {
  const uint64_t sealed = make_word(generation, ObjectState::kSealed);
  // SYNC: pairs with the store in OwnerDirectory::seal().
  const uint64_t word = entry.word.load(std::memory_order_acquire);
  if (word != sealed || generation == 0) {
    const bool is_known =
        (word & 0xff) <= static_cast<uint8_t>(ObjectState::kRetired) && word >> 40 == 0;
    EntryView view;
    if (!is_known) view.outcome = EntryView::Outcome::kNonsense;
    return view;
  }
  EntryView view;
  // SYNC: pairs with the stores in OwnerDirectory::enter() and retire() of the slot's next object.
  view.offset = entry.offset.load(std::memory_order_acquire);
  view.size = entry.size.load(std::memory_order_acquire);
  view.companion = entry.companion.load(std::memory_order_acquire);
  view.companion_generation = entry.companion_generation.load(std::memory_order_acquire);
  if (entry.word.load(std::memory_order_relaxed) != sealed) return EntryView{};
  view.outcome = EntryView::Outcome::kSealed;
  return view;
}

}  // namespace thornback::store
