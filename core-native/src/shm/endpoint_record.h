// The record of an endpoint: a memory file of one page that the endpoint makes and every endpoint
// that talks to it maps read-write. Nothing in it is trusted: the owner survives any value here
// except being left asleep, which only a peer it talks to can do.
//
//   offset   writer         content
//        0   owner, once    magic | version | endpoint id | pid
//      128   owner+senders  wake word | doorbell: summary, words 0 to 5 in the same line, then the
//      rest 768   owner          CPU number 896   keeper+kernel  liveness word: robust list entry |
//      futex
//     1024   owner          counters
#pragma once

#include <linux/futex.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include "shm/doorbell.h"
#include "shm/wake_word.h"

namespace thornback::shm {

inline constexpr uint64_t kEndpointRecordMagic = 0x31304345524b4254;  // "TBKREC01"
inline constexpr uint32_t kEndpointRecordVersion = 1;

// A robust futex owned by the endpoint's keeper thread: the kernel sets FUTEX_OWNER_DIED and wakes
// one waiter when that thread ends, however it ends. `entry` links it into the keeper's robust
// list.
struct alignas(64) LivenessWord {
  robust_list entry;
  uint32_t futex;  // TID of the keeper | FUTEX_WAITERS | FUTEX_OWNER_DIED
};

// A sender touches one cache line when the endpoint is awake and its own index is below 384: the
// wake word, the summary and the first six words of the doorbell share it.
struct alignas(128) WakeBlock {
  WakeWord word;
  uint32_t reserved = 0;
  Doorbell doorbell;
};

struct EndpointRecord {
  uint64_t magic = kEndpointRecordMagic;
  uint32_t version = kEndpointRecordVersion;
  std::atomic<uint32_t> endpoint_id{0};
  int32_t pid = 0;
  WakeBlock wake;
  // The CPU the pump runs on, -1 while it sleeps. A hint for spinning, never for correctness.
  alignas(128) std::atomic<int32_t> cpu{-1};
  alignas(128) LivenessWord liveness{};
  alignas(128) std::atomic<uint64_t> sleeps{0};  // how often the pump slept on the futex

  // Writes a fresh record into `memory` (kEndpointRecordBytes, page aligned).
  static EndpointRecord* create(void* memory, uint32_t id, int32_t owner_pid) {
    auto* record = new (memory) EndpointRecord;
    record->endpoint_id.store(id, std::memory_order_relaxed);
    record->pid = owner_pid;
    return record;
  }
  // The record of a peer, or nullptr if `memory` (kEndpointRecordBytes) does not hold one.
  static EndpointRecord* open(void* memory) {
    auto* record = static_cast<EndpointRecord*>(memory);
    const bool is_record =
        record->magic == kEndpointRecordMagic && record->version == kEndpointRecordVersion;
    return is_record ? record : nullptr;
  }
};

inline constexpr uint64_t kEndpointRecordBytes = 4096;

static_assert(std::is_standard_layout_v<EndpointRecord> &&
              std::is_trivially_destructible_v<EndpointRecord>);
static_assert(offsetof(EndpointRecord, endpoint_id) == 12 && offsetof(EndpointRecord, pid) == 16);
static_assert(offsetof(EndpointRecord, wake) == 128 && offsetof(WakeBlock, doorbell) == 8);
static_assert(offsetof(EndpointRecord, cpu) == 768);
static_assert(offsetof(EndpointRecord, liveness) == 896 && offsetof(LivenessWord, futex) == 8);
static_assert(offsetof(EndpointRecord, sleeps) == 1024);
static_assert(sizeof(EndpointRecord) <= kEndpointRecordBytes);

}  // namespace thornback::shm
