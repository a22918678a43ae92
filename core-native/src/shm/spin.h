// Waiting by looking instead of sleeping, for as long as that pays: a wake-up across CPUs costs
// tens of microseconds, an answer from a running peer a tenth of one. Not for waits without
// outstanding work.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "shm/endpoint_record.h"
#include "shm/node_board.h"

namespace thornback::shm {

inline constexpr int64_t kSpinNsDefault = 50'000;

inline void relax_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// Decides how long to spin. One per endpoint, used by the thread that pumps.
class Spinner {
 public:
  // `spin_ns_max` is the longest spin: 0 never spins, negative takes the default.
  Spinner(EndpointRecord& own, const NodeBoard& board, int64_t spin_ns_max);

  // Looks until ready() or until spinning does not pay any more; returns the last ready(). `peer`
  // is the endpoint the answer is expected from (the most recent partner); without one there is no
  // reason to spin. Stops at once when the peer has this very CPU: it could not run. While the peer
  // sleeps the CPU is offered between looks, because the scheduler may have put the woken peer
  // here.
  template <class Pred>
  bool spin(Pred ready, const EndpointRecord* peer) {
    if (ready()) return true;
    if (peer == nullptr || !begin(*peer)) return false;
    const uint64_t start_ns = now_ns();
    int64_t waited_ns = 0;
    for (;;) {
      for (int look = 0; look < kLooksPerRound; ++look) {
        relax_cpu();
        if (ready()) {
          // The clock is not read again: it would cost the waiting caller a quarter of a round
          // trip.
          note_success(waited_ns);
          return true;
        }
      }
      waited_ns = static_cast<int64_t>(now_ns() - start_ns);
      if (!go_on(*peer, waited_ns)) return ready();
    }
  }

  // What the next spin may take, before placement and crowding are looked at. For tests.
  int64_t budget_ns() const { return skips_left_ > 0 ? 0 : budget_ns_; }

 private:
  static constexpr int kLooksPerRound = 16;

  bool begin(const EndpointRecord& peer);
  bool go_on(const EndpointRecord& peer, int64_t waited_ns);
  void note_success(int64_t waited_ns);
  void note_miss();

  EndpointRecord& own_;
  const NodeBoard& board_;
  int64_t spin_ns_max_;
  int64_t budget_ns_;
  int64_t expected_wait_ns_;
  uint32_t misses_ = 0;      // spins in a row that found nothing
  uint32_t skips_left_ = 0;  // spins to leave out before the next try
  int32_t cpu_ = -1;         // what own_.cpu says
};

}  // namespace thornback::shm
