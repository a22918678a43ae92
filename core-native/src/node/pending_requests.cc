#include "node/pending_requests.h"

#include <chrono>

#include "base/clock.h"

namespace thornback::node {

uint32_t PendingRequests::begin() {
  const std::lock_guard lock(mutex_);
  while (next_ == 0 || answers_.contains(next_)) ++next_;
  answers_.emplace(next_, std::nullopt);
  return next_++;
}

Result<Received> PendingRequests::wait(uint32_t request, uint64_t deadline_ns) {
  std::unique_lock lock(mutex_);
  const uint64_t now = now_ns();
  const std::chrono::nanoseconds limit(deadline_ns > now ? deadline_ns - now : 0);
  changed_.wait_for(lock, limit,
                    [&] { return answers_[request].has_value() || !failure_.is_ok(); });
  std::optional<Received> answer = std::move(answers_[request]);
  answers_.erase(request);
  if (answer.has_value()) return std::move(*answer);
  if (!failure_.is_ok()) return failure_;
  return Status(TBK_TIMEOUT, "the node did not answer in time");
}

void PendingRequests::complete(uint32_t request, Received answer) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(request);
    if (found == answers_.end()) return;
    found->second = std::move(answer);
  }
  changed_.notify_all();
}

void PendingRequests::fail_all(Status reason) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(reason);
  }
  changed_.notify_all();
}

}  // namespace thornback::node
