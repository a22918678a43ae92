// Names one object of one arena. A slot is used again for later objects; the generation tells them
// apart, and no (slot, generation) pair ever names two objects. Generation 0 names nothing.
#pragma once

#include <cstdint>

namespace thornback::store {

struct ObjectName {
  uint32_t slot = 0;
  uint32_t generation = 0;

  friend bool operator==(const ObjectName&, const ObjectName&) = default;
};

}  // namespace thornback::store
