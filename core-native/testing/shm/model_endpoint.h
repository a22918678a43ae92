// An endpoint of the deterministic scheduler: the product's doorbell and wake word, with the system
// calls of waking.cc replaced by the scheduler's. Includes the broken variants the proofs must
// catch.
#pragma once

#include <cstdint>

#include "shm/doorbell.h"
#include "shm/wake_word.h"
#include "testing/deterministic_scheduler.h"

namespace thornback::testing {

// Broken: a sequentially consistent store is only a release store, as on x86 without its fence.
template <class T>
class UnfencedAtomic : public ScheduledAtomic<T> {
 public:
  using ScheduledAtomic<T>::ScheduledAtomic;
  void store(T value, std::memory_order = std::memory_order_seq_cst) {
    ScheduledAtomic<T>::store(value, std::memory_order_release);
  }
};

// Broken: the sender marks the summary before the word.
template <template <class> class Atomic>
struct SummaryFirstDoorbell : shm::DoorbellT<Atomic> {
  bool ring(uint32_t index) {
    this->summary.fetch_or(uint64_t{1} << (index / 64));
    this->words[index / 64].fetch_or(uint64_t{1} << (index % 64));
    return true;
  }
};

template <template <class> class Atomic, class Bell = shm::DoorbellT<Atomic>>
struct ModelEndpoint {
  Bell doorbell;
  shm::WakeWordT<Atomic> word;
  ScheduledEventFd poll_fd;
  ScheduledEventFd keeper_fd;

  // As ring_and_wake in waking.cc.
  void ring_and_wake(uint32_t sender) {
    doorbell.ring(sender);
    switch (word.take_duty()) {
      case shm::WakeState::kAwake: return;
      case shm::WakeState::kParkedFutex: return scheduled_futex_wake(word.value);
      case shm::WakeState::kParkedPoll: return poll_fd.write();
      case shm::WakeState::kAway: return keeper_fd.write();
    }
  }

  // As ring_for_the_dead in waking.cc.
  void ring_for_the_dead(uint32_t sender) {
    doorbell.ring(sender);
    word.take_duty();
    scheduled_futex_wake(word.value);
    poll_fd.write();
    keeper_fd.write();
  }

  // Sleeps in one of the three ways, unless there is work.
  void sleep(shm::WakeState state) {
    if (!word.prepare(state, doorbell)) return;
    if (state == shm::WakeState::kParkedFutex) {
      scheduled_futex_wait(word.value, static_cast<uint32_t>(state));
    } else if (state == shm::WakeState::kParkedPoll) {
      poll_fd.wait_and_read();
    } else {
      keeper_fd.wait_and_read();
    }
    word.set_awake();
  }
};

inline shm::WakeState random_sleep(DeterministicScheduler& scheduler) {
  return static_cast<shm::WakeState>(1 + scheduler.random(3));
}

}  // namespace thornback::testing
