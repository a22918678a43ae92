// Waking a sleeping endpoint, and sleeping: the system calls around the wake word and the doorbell.
#pragma once

#include <cstdint>

#include "shm/endpoint_record.h"
#include "shm/node_board.h"

namespace thornback::shm {

// How to reach an endpoint: its record as this process has mapped it, and its two eventfds (-1:
// none).
struct WakeTargets {
  EndpointRecord* record = nullptr;
  int poll_fd = -1;
  int keeper_fd = -1;
};

// Tells the endpoint that sender `own_index` has published something, and wakes it if it sleeps.
// Returns true if a system call was made. Never blocks; any thread may call it.
bool ring_and_wake(const WakeTargets& target, uint32_t own_index);

// Repeats the last steps of a sender that died, which may have been anywhere between publishing and
// waking: rings its bit and wakes the endpoint whatever its word says. Each survivor calls this for
// itself when it learns of a death; without it, a sender that dies between taking the wake-up duty
// and the system call would leave the endpoint asleep for everybody.
void ring_for_the_dead(const WakeTargets& target, uint32_t dead_index);

enum class WaitResult { kWoken, kTimedOut, kInterrupted };

// The receiver's side of one endpoint. Owns no memory. Only the thread that pumps uses it.
class Sleeper {
 public:
  Sleeper(EndpointRecord& record, NodeBoard& board, uint32_t own_index)
      : record_(record), activity_(board.activity[own_index]) {}

  // The pump runs on this thread, and runs now.
  void awake();
  // The pump is about to sleep in an event loop: nobody shall spin for it. Not for kAway: there the
  // thread keeps its CPU with user code, and its answer may come any moment.
  void asleep();

  // Announces that the pump is going to sleep or to leave. False: there is work, and the endpoint
  // is awake again. After true, who sleeps on the futex calls sleep_on_futex; who sleeps in poll or
  // leaves for user code just goes, and calls awake() when it is back.
  bool prepare(WakeState state) { return record_.wake.word.prepare(state, record_.wake.doorbell); }

  // Sleeps after prepare(kParkedFutex) and is awake again afterwards. A negative timeout means no
  // limit. kWoken may be spurious. kInterrupted: a signal handler without SA_RESTART has run.
  WaitResult sleep_on_futex(int64_t timeout_ns);

 private:
  EndpointRecord& record_;
  std::atomic<uint8_t>& activity_;
};

}  // namespace thornback::shm
