// The board of a node: one memory file, made by the hub, that all endpoints map read-write.
//
//   offset   writer               content
//        0   hub, once            magic | version | CPU count | store capacity
//       64   hub                  number of endpoint indices in use so far (high water)
//      128   endpoint i, hub      activity byte i, for 4096 endpoints
//     4224   endpoint i, hub      bytes of store granted to endpoint i
//
// The hub clears the entries of dead endpoints; besides that each entry has one writer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include "shm/doorbell.h"

namespace thornback::shm {

inline constexpr uint64_t kNodeBoardMagic = 0x31304452424b4254;  // "TBKBRD01"
inline constexpr uint32_t kNodeBoardVersion = 1;

struct NodeBoard {
  uint64_t magic = kNodeBoardMagic;
  uint32_t version = kNodeBoardVersion;
  uint32_t cpu_count = 0;
  uint64_t store_bytes_max = 0;
  // Every endpoint index in use is below this.
  alignas(64) std::atomic<uint32_t> high_water{0};
  // 1 while the endpoint runs or spins, 0 while it sleeps. A hint for spinning.
  alignas(128) std::atomic<uint8_t> activity[kEndpointsMax]{};
  alignas(128) std::atomic<uint64_t> granted[kEndpointsMax]{};

  static NodeBoard* create(void* memory, uint32_t cpus, uint64_t store_bytes) {
    auto* board = new (memory) NodeBoard;
    board->cpu_count = cpus;
    board->store_bytes_max = store_bytes;
    return board;
  }
  // The board of the session, or nullptr if `memory` (kNodeBoardBytes) does not hold one.
  static NodeBoard* open(void* memory) {
    auto* board = static_cast<NodeBoard*>(memory);
    const bool is_board = board->magic == kNodeBoardMagic && board->version == kNodeBoardVersion;
    return is_board ? board : nullptr;
  }

  // Whether more endpoints run than there are CPUs: whoever spins then keeps another from running.
  // Stops counting as soon as the answer is known.
  bool is_crowded() const {
    uint32_t index_end = high_water.load(std::memory_order_relaxed);
    if (index_end > kEndpointsMax) index_end = kEndpointsMax;
    uint32_t running = 0;
    for (uint32_t index = 0; index < index_end; ++index) {
      running += activity[index].load(std::memory_order_relaxed) != 0 ? 1 : 0;
      if (running > cpu_count) return true;
    }
    return false;
  }
};

inline constexpr uint64_t kNodeBoardBytes = sizeof(NodeBoard);

static_assert(std::is_standard_layout_v<NodeBoard> && std::is_trivially_destructible_v<NodeBoard>);
static_assert(offsetof(NodeBoard, cpu_count) == 12 && offsetof(NodeBoard, store_bytes_max) == 16);
static_assert(offsetof(NodeBoard, high_water) == 64 && offsetof(NodeBoard, activity) == 128);
static_assert(offsetof(NodeBoard, granted) == 4224 && sizeof(std::atomic<uint8_t>) == 1);

}  // namespace thornback::shm
