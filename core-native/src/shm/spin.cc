#include "shm/spin.h"

#include <sched.h>

#include <algorithm>

namespace thornback::shm {

namespace {

// A spin given up too early costs two wake-ups, so the budget does not follow short waits all the
// way.
constexpr int64_t kBudgetNsMin = 10'000;
constexpr uint32_t kMissesTolerated = 3;
constexpr uint32_t kSkipsMax = 32;

}  // namespace

Spinner::Spinner(EndpointRecord& own, const NodeBoard& board, int64_t spin_ns_max)
    : own_(own),
      board_(board),
      spin_ns_max_(spin_ns_max < 0 ? kSpinNsDefault : spin_ns_max),
      budget_ns_(spin_ns_max_),
      expected_wait_ns_(spin_ns_max_ / 2) {}

bool Spinner::begin(const EndpointRecord& peer) {
  if (spin_ns_max_ == 0) return false;
  if (skips_left_ > 0) {
    --skips_left_;
    return false;
  }
  cpu_ = sched_getcpu();
  own_.cpu.store(cpu_, std::memory_order_relaxed);
  return peer.cpu.load(std::memory_order_relaxed) != cpu_ && !board_.is_crowded();
}

bool Spinner::go_on(const EndpointRecord& peer, int64_t waited_ns) {
  if (waited_ns > budget_ns_) {
    note_miss();
    return false;
  }
  const int32_t peer_cpu = peer.cpu.load(std::memory_order_relaxed);
  if (peer_cpu < 0) sched_yield();
  const int32_t cpu = sched_getcpu();
  if (cpu != cpu_) {
    cpu_ = cpu;
    own_.cpu.store(cpu, std::memory_order_relaxed);
  }
  return peer_cpu != cpu && !board_.is_crowded();
}

void Spinner::note_success(int64_t waited_ns) {
  misses_ = 0;
  // Longer waits count at once, shorter ones a sixteenth at a time.
  if (waited_ns > expected_wait_ns_) {
    expected_wait_ns_ = waited_ns;
  } else {
    expected_wait_ns_ -= (expected_wait_ns_ - waited_ns) / 16;
  }
  budget_ns_ = std::min(spin_ns_max_, std::max(kBudgetNsMin, 2 * expected_wait_ns_));
}

void Spinner::note_miss() {
  // The answer may have come just after a budget that had become too small: the next try is a full
  // one.
  budget_ns_ = spin_ns_max_;
  expected_wait_ns_ = spin_ns_max_ / 2;
  ++misses_;
  if (misses_ <= kMissesTolerated) return;
  skips_left_ = std::min(kSkipsMax, uint32_t{1} << std::min(misses_ - kMissesTolerated, 5U));
}

}  // namespace thornback::shm
