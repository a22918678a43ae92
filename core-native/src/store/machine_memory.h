// What memory the machine, or the control group the process runs in, has to give.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace thornback::store {

struct MachineMemory {
  uint64_t total = 0;      // physical memory, or the group's limit if that is less
  uint64_t available = 0;  // without making anybody swap or killing anybody
};

// `root` is put before the paths read: /proc/meminfo, /proc/self/cgroup and /sys/fs/cgroup.
Result<MachineMemory> machine_memory(const std::string& root = "");

// The available part of it.
Result<uint64_t> usable_memory_bytes();

// For whoever sets the capacity of a node's store: an error that says what was asked, what there is
// and what to do, if the store would need more than is available.
Status check_store_capacity(uint64_t bytes);

}  // namespace thornback::store
