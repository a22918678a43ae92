// The keeper's side of the death notice: a robust futex that the kernel marks when the keeper ends.
#pragma once

#include <linux/futex.h>

#include <cstdint>

#include "base/status.h"
#include "shm/endpoint_record.h"

namespace thornback::node {

// Holds the liveness word of a record for the calling thread. The kernel walks
// a thread's robust list as the first step of its end, before it tears down
// the process's memory: the hub, which waits on the word, knows of a death in
// the time of one wake-up even when freeing the memory takes much longer.
//
// The thread that arms must not use robust mutexes: a
// thread has one robust list. The object outlives it.
class Liveness {
 public:
  // Returns the value that the word has as long as the thread lives.
  Result<uint32_t> arm(shm::LivenessWord& word);
  // Gives the word back, so that the end of the thread is not a death. On the thread that armed.
  void disarm();

 private:
  robust_list_head head_{};
  shm::LivenessWord* word_ = nullptr;
};

// What an observer of a liveness word sees.
enum class LivenessState {
  kAlive,
  kOwnerDied,
  kUnwatchable /* given back, or overwritten with nonsense */
};
LivenessState liveness_state(const uint32_t* futex, uint32_t armed_value);

}  // namespace thornback::node
