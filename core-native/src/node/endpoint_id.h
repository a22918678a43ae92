// How an endpoint is named in its session: its index on the board and the generation of that index.
#pragma once

#include <cstdint>

#include "shm/doorbell.h"

namespace thornback::node {

// The low bits index the board's arrays, the high bits tell the
// holders of one index apart. The node agent is the first holder of
// index 0 and index 0 is never given again, so its id is exactly 0.
inline constexpr uint32_t kIndexBits = 12;
inline constexpr uint32_t kGenerationMask = (1u << (32 - kIndexBits)) - 1;
inline constexpr uint32_t kAgentId = 0;
static_assert(shm::kEndpointsMax == 1u << kIndexBits);

inline constexpr uint32_t endpoint_index(uint32_t id) {
  return id & (shm::kEndpointsMax - 1);
}
inline constexpr uint32_t endpoint_generation(uint32_t id) {
  return id >> kIndexBits;
}
// Generations wrap after a million holders of one index.
inline constexpr uint32_t make_endpoint_id(uint32_t index, uint32_t generation) {
  return (generation & kGenerationMask) << kIndexBits | index;
}

}  // namespace thornback::node
