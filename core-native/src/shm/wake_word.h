// What a sender has to do so that an endpoint notices its doorbell: the endpoint's wake word.
#pragma once

#include <atomic>
#include <cstdint>

#include "shm/doorbell.h"

namespace thornback::shm {

enum class WakeState : uint32_t {
  kAwake = 0,        // a thread pumps and looks at the doorbell before it sleeps: nothing to do
  kParkedFutex = 1,  // the pump sleeps on the word: FUTEX_WAKE
  kParkedPoll = 2,   // an event loop sleeps in epoll: write the poll eventfd
  kAway = 3,         // user code runs and nobody pumps: write the keeper's eventfd
};

// Invariant: while the owner sleeps or is away, either the word names the state, or the sender that
// has exchanged it to kAwake owes the owner a wake-up, or the doorbell is empty.
//
// Sender:   publish frames | ring the doorbell     | look at the word, exchange it to kAwake | wake
// Receiver: set the word   | look at the doorbell  | sleep only if it was empty
//
// SYNC: Dekker. The sender's ring and its look, and the receiver's store and its look, are
// sequentially consistent: either the sender sees that the receiver sleeps, or the receiver sees
// the bit. Only one sender gets the state out of the exchange, so one system call is made however
// many ring.
//
// Crash order, sender: dying before its ring it has sent nothing that anyone was promised; dying
// between ring and exchange it leaves a set bit and a word that the next sender acts upon; dying
// between exchange and wake it leaves kAwake over a sleeper, and later senders make no system call.
// Only the last one needs help, and nobody can tell the three apart: therefore whoever learns of a
// death calls ring_for_the_dead (waking.h), which wakes whatever the word says.
// Crash order, receiver: its word and its doorbell die with it.
template <template <class> class Atomic>
struct WakeWordT {
  Atomic<uint32_t> value{0};

  // Receiver: from now on it pumps. Relaxed, because a sender that still sees the old state only
  // wakes once too often; what must not be missed is looked for in prepare().
  void set_awake() {
    value.store(static_cast<uint32_t>(WakeState::kAwake), std::memory_order_relaxed);
  }

  // Receiver, before it sleeps or leaves: true if it may; false if there is work, and it is awake
  // again.
  bool prepare(WakeState state, const DoorbellT<Atomic>& doorbell) {
    value.store(static_cast<uint32_t>(state), std::memory_order_seq_cst);
    if (!doorbell.any()) return true;
    set_awake();
    return false;
  }

  // Sender, after ring(): the wake-up it owes from now on (kAwake: none). A faulty peer can leave
  // any number here; it comes back as it is.
  WakeState take_duty() {
    if (value.load(std::memory_order_seq_cst) == static_cast<uint32_t>(WakeState::kAwake)) {
      return WakeState::kAwake;
    }
    return static_cast<WakeState>(
        value.exchange(static_cast<uint32_t>(WakeState::kAwake), std::memory_order_seq_cst));
  }
};

using WakeWord = WakeWordT<std::atomic>;

}  // namespace thornback::shm
