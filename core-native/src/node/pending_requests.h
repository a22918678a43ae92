// Requests to the hub whose answers the keeper brings.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/status.h"
#include "node/control_socket.h"

namespace thornback::node {

// Any thread begins and waits, the keeper thread completes.
class PendingRequests {
 public:
  // A number for a new request.
  uint32_t begin();
  // Waits for the answer and ends the request. TBK_TIMEOUT
  // at the deadline, or what fail_all() was given.
  Result<Received> wait(uint32_t request, uint64_t deadline_ns);
  // Drops an answer that nobody waits for any more.
  void complete(uint32_t request, Received answer);
  // Fails all requests, also those to come: the node is gone.
  void fail_all(Status reason);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint32_t next_ = 1;
  std::unordered_map<uint32_t, std::optional<Received>> answers_;
  Status failure_;
};

}  // namespace thornback::node
