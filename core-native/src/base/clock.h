// The monotonic clock in nanoseconds, comparable between the processes of a node.
#pragma once

#include <cstdint>
#include <ctime>

namespace thornback {

inline uint64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000ULL +
         static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace thornback
