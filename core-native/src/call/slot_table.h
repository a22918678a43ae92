// A table of T with stable addresses and handles that notice when they are stale: handle =
// generation << 24 | slot, below 2^52, never 0.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "base/check.h"

namespace thornback::call {

template <typename T>
class SlotTable {
 public:
  static constexpr uint32_t kSlotBits = 24;
  static constexpr uint64_t kSlotsMax = uint64_t{1} << kSlotBits;

  static uint32_t slot_of(uint64_t handle) {
    return static_cast<uint32_t>(handle & (kSlotsMax - 1));
  }
  static uint32_t generation_of(uint64_t handle) {
    return static_cast<uint32_t>(handle >> kSlotBits);
  }
  static uint64_t handle_of(uint32_t slot, uint32_t generation) {
    return uint64_t{generation} << kSlotBits | slot;
  }

  SlotTable() = default;
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;
  ~SlotTable() {
    for_each([this](uint64_t handle, T&) { erase(handle); });
  }

  uint64_t insert() {
    if (free_ == kNoSlot) grow();
    const uint32_t slot = free_;
    Cell& cell = at(slot);
    free_ = cell.next_free;
    new (&cell.storage) T();
    cell.live = true;
    ++size_;
    return handle_of(slot, cell.generation);
  }

  T* find(uint64_t handle) {
    const uint32_t slot = slot_of(handle);
    if (slot >= capacity_) return nullptr;
    Cell& cell = at(slot);
    return cell.live && cell.generation == generation_of(handle) ? cell.get() : nullptr;
  }

  const T* find(uint64_t handle) const { return const_cast<SlotTable*>(this)->find(handle); }

  void erase(uint64_t handle) {
    Cell& cell = at(slot_of(handle));
    TBK_CHECK(cell.live && cell.generation == generation_of(handle));
    cell.get()->~T();
    cell.live = false;
    cell.generation = cell.generation == kGenerationMax ? 1 : cell.generation + 1;
    cell.next_free = free_;
    free_ = slot_of(handle);
    --size_;
  }

  uint64_t size() const { return size_; }

  // Tolerates erasing the visited element.
  template <typename Visit>
  void for_each(Visit visit) {
    for (uint32_t slot = 0; slot < capacity_; ++slot) {
      Cell& cell = at(slot);
      if (cell.live) visit(handle_of(slot, cell.generation), *cell.get());
    }
  }

 private:
  static constexpr uint32_t kChunk = 1024;
  static constexpr uint32_t kNoSlot = UINT32_MAX;
  static constexpr uint32_t kGenerationMax = (1U << 28) - 1;

  struct Cell {
    uint32_t generation = 1;
    uint32_t next_free = kNoSlot;
    bool live = false;
    alignas(T) unsigned char storage[sizeof(T)];
    T* get() { return std::launder(reinterpret_cast<T*>(&storage)); }
  };

  Cell& at(uint32_t slot) { return chunks_[slot / kChunk][slot % kChunk]; }

  void grow() {
    TBK_CHECK(capacity_ + kChunk <= kSlotsMax);
    chunks_.push_back(std::make_unique<Cell[]>(kChunk));
    for (uint32_t i = kChunk; i-- > 0;) {
      at(capacity_ + i).next_free = free_;
      free_ = capacity_ + i;
    }
    capacity_ += kChunk;
  }

  std::vector<std::unique_ptr<Cell[]>> chunks_;
  uint32_t capacity_ = 0;
  uint32_t free_ = kNoSlot;
  uint64_t size_ = 0;
};

}  // namespace thornback::call
