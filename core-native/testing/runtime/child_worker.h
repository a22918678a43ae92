// A worker in a process of its own that serves "echo", "hold" and "die", for tests that kill it.
// Made before the test's process has any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace thornback::testing {

class ChildWorker {
 public:
  // The child attaches when the socket appears; it first touches `resident_bytes` of memory.
  explicit ChildWorker(const std::string& socket, uint64_t resident_bytes = 0);
  ~ChildWorker();
  ChildWorker(const ChildWorker&) = delete;
  ChildWorker& operator=(const ChildWorker&) = delete;
  void kill(int signal);
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace thornback::testing
