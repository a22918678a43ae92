// The centre of a node: introduces endpoints to each other
// and notices their deaths. Not on the path of a call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"

namespace thornback::node {

struct HubOptions {
  std::string
      socket_path;  // created by start(), mode 0600; its folder exists and is private (0700)
  uint64_t store_bytes_max = 0;  // not 0; written to the board
  uint64_t arena_bytes_max = 0;  // not 0; told to every endpoint
};

// Runs on threads of its own in the node agent's process. The agent attaches through the socket
// like everyone else, and it must be the first to do so: it becomes endpoint 0.
class Hub {
 public:
  // Listens when it returns. TBK_INVALID for a folder that others may
  // enter, or a path that is too long; TBK_IO names the system call.
  // A socket file without a listener (of a crashed run) is replaced.
  static Result<std::unique_ptr<Hub>> start(const HubOptions& options);
  // Ends the node: everyone who is attached gets on_node_gone; the socket file is removed; blocks
  // until the hub's threads have ended.
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // Endpoints that have joined and are not dead, and dead
  // ones whose arena is still held: for tests and diagnosis.
  uint32_t endpoints_alive() const;
  uint32_t endpoints_held() const;

 private:
  class Impl;
  explicit Hub(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace thornback::node
