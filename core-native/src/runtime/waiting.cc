// The pump and every kind of waiting (endpoint.h).
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "runtime/endpoint.h"

namespace thornback::runtime {
namespace {

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kBlockedAfterNs = 1'000'000;
// Calls given out together are out of reach: those of other callers wait behind them, and they
// cannot go to another worker. So they are as many as take about this long.
constexpr uint64_t kBatchNs = 100'000;
constexpr uint64_t kBatchMax = 1024;
// A thread without the pump is not interrupted by signals; it comes back this often so that its
// language can look for them.
constexpr uint64_t kSignalCheckNs = 50'000'000;

uint64_t deadline_after(int64_t timeout_ns) {
  return timeout_ns < 0 ? kNever : now_ns() + static_cast<uint64_t>(timeout_ns);
}

}  // namespace

void Endpoint::pump() {
  engine_->bury_retired();
  record_->wake.doorbell.take([this](uint32_t index) {
    if (index == index_) run_notices();
    engine_->drain(index);
  });
  send_and_signal();
  (void)engine_->take_notified();
  if (is_poller_idle()) tell_poller();
}

// What another thread did can be an event for the one that polls: a reply makes room in a
// concurrency group, a cancelled result is ready.
void Endpoint::after_operation() {
  send_and_signal();
  tell_poller();
  // The thread with the pump sleeps on the ring, not on a condition, and may wait for just this.
  if (engine_->take_notified() && is_pumping_) shm::ring_and_wake(self_, index_);
}

bool Endpoint::is_poller_idle() const {
  return std::find(idle_waiters_.begin(), idle_waiters_.end(), poll_waiter_) != idle_waiters_.end();
}

// The thread that polls sleeps with the pump or, while another one has that, without.
void Endpoint::tell_poller() {
  if (poll_waiter_ == nullptr || !engine_->has_events()) return;
  if (is_poller_idle()) {
    poll_waiter_->condition.notify_one();
  } else {
    shm::ring_and_wake(self_, index_);
  }
}

// Sends what the engine wrote, and passes on what others wait for.
void Endpoint::send_and_signal() {
  engine_->flush();
  if (is_armed_ && engine_->has_events()) signal_loop();
  if (cancel_signal_ != 0 && engine_->has_cancels()) interrupt_cancelled();
  if (engine_->next_alarm_ns() != alarm_ns_) {
    alarm_ns_ = engine_->next_alarm_ns();
    if (alarm_ns_ != 0) member_->set_alarm(alarm_ns_);
  }
}

// A call that user code is busy with was cancelled: the signal gives its language the chance to
// stop it. Who waits in here meanwhile comes back as well.
void Endpoint::interrupt_cancelled() {
  if (is_polling_ || calls_given_ == 0) return;
  engine_->cancels_seen();
  interrupt_ = true;
  pthread_kill(poller_, cancel_signal_);
}

void Endpoint::signal_loop() {
  const uint64_t one = 1;
  (void)!write(self_.poll_fd, &one, sizeof one);
}

void Endpoint::take_pump() {
  is_pumping_ = true;
  sleeper_->awake();
}

void Endpoint::give_pump() {
  is_pumping_ = false;
  if (!idle_waiters_.empty()) {
    idle_waiters_.front()->condition.notify_one();
  } else {
    leave();
  }
}

// The loop's thread executes calls that can be cancelled, as the thread of a process without one.
bool Endpoint::is_loop_busy() const {
  return !is_armed_ && cancel_signal_ != 0 && calls_given_ > 0;
}

// Nobody pumps from here on: says who is to be woken when a frame arrives.
void Endpoint::leave() {
  while (true) {
    if (has_loop_ && !is_loop_busy()) {
      if (!is_armed_ || sleeper_->prepare(shm::WakeState::kParkedPoll)) return;
    } else if (is_watched_.load(std::memory_order_acquire) ||
               sleeper_->prepare(shm::WakeState::kAway)) {
      return;
    }
    pump();
  }
}

// False when the sleep was interrupted by a signal.
bool Endpoint::sleep_until_rung(Lock& lock, uint64_t deadline_ns) {
  const shm::EndpointRecord* partner = engine_->recent_partner();
  lock.unlock();
  bool is_undisturbed = true;
  const auto is_rung = [this] { return record_->wake.doorbell.any(); };
  if (!spinner_->spin(is_rung, partner) && sleeper_->prepare(shm::WakeState::kParkedFutex)) {
    int64_t timeout_ns = -1;
    if (deadline_ns != kNever) {
      const uint64_t now = now_ns();
      timeout_ns = deadline_ns > now ? static_cast<int64_t>(deadline_ns - now) : 0;
    }
    is_undisturbed = sleeper_->sleep_on_futex(timeout_ns) != shm::WaitResult::kInterrupted;
  }
  lock.lock();
  return is_undisturbed;
}

template <typename Done>
tbk_status_t Endpoint::pump_until(Lock& lock, uint64_t deadline_ns, Done done) {
  while (true) {
    pump();
    if (done()) return TBK_OK;
    if (is_detaching_) return TBK_CLOSED;
    if (interrupt_.exchange(false)) return TBK_INTERRUPTED;
    if (deadline_ns != kNever && now_ns() >= deadline_ns) return TBK_TIMEOUT;
    if (!sleep_until_rung(lock, deadline_ns)) return TBK_INTERRUPTED;
  }
}

// Waits until done() holds. `waiter` is what the engine notifies when a ref it is registered at
// becomes ready.
template <typename Done>
tbk_status_t Endpoint::wait_until(Lock& lock, call::Waiter& waiter, int64_t timeout_ns, Done done) {
  if (done()) return TBK_OK;
  const uint64_t deadline_ns = deadline_after(timeout_ns);
  ++users_;
  tbk_status_t status = TBK_OK;
  while (true) {
    if (is_detaching_) {
      status = TBK_CLOSED;
    } else if (!is_pumping_) {
      take_pump();
      status = pump_until(lock, deadline_ns, done);
      give_pump();
    } else {
      const uint64_t now = now_ns();
      const uint64_t pause = std::min(kSignalCheckNs, deadline_ns > now ? deadline_ns - now : 0);
      idle_waiters_.push_back(&waiter);
      const auto outcome = waiter.condition.wait_for(lock, std::chrono::nanoseconds(pause));
      std::erase(idle_waiters_, &waiter);
      if (done()) break;
      if (is_detaching_ || !is_pumping_) continue;
      if (outcome == std::cv_status::no_timeout) continue;
      status = deadline_ns != kNever && now_ns() >= deadline_ns ? TBK_TIMEOUT : TBK_INTERRUPTED;
    }
    break;
  }
  // Whoever inherited the pump just now and leaves with another result passes it on.
  if (!is_pumping_ && !idle_waiters_.empty()) idle_waiters_.front()->condition.notify_one();
  if (--users_ == 0 && is_detaching_) gone_.notify_all();
  return status;
}

tbk_status_t Endpoint::wait(const tbk_ref_t* refs, uint32_t count, uint32_t want,
                            int64_t timeout_ns, uint8_t* ready) {
  Lock lock(mutex_);
  call::Waiter waiter;
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; ++i) found += (ready[i] = engine_->is_ready(refs[i]) ? 1 : 0);
  want = std::min(want, count);
  if (found >= want) {
    after_operation();
    return TBK_OK;
  }
  tbk_status_t status = TBK_TIMEOUT;
  if (timeout_ns != 0) {
    waiter.missing = want - found;
    for (uint32_t i = 0; i < count; ++i) {
      if (ready[i] == 0) engine_->add_waiter(refs[i], &waiter);
    }
    after_operation();
    const auto done = [&waiter] { return waiter.missing == 0; };
    const bool may_block_cpu = engine_->tasks_executing() > 0;
    const auto first = static_cast<int64_t>(kBlockedAfterNs);
    const bool is_split = may_block_cpu && (timeout_ns < 0 || timeout_ns > first);
    status = wait_until(lock, waiter, is_split ? first : timeout_ns, done);
    if (is_split && status == TBK_TIMEOUT) {
      // A task that waits for others gives its CPU back, or all workers could wait for tasks that
      // have no worker.
      const std::vector<uint8_t> no_arguments{0x90};
      engine_->tell_agent("agent::blocked", no_arguments);
      after_operation();
      status = wait_until(lock, waiter, timeout_ns < 0 ? -1 : timeout_ns - first, done);
      engine_->tell_agent("agent::unblocked", no_arguments);
    }
    for (uint32_t i = 0; i < count; ++i) {
      if (ready[i] == 0) engine_->remove_waiter(refs[i], &waiter);
    }
  } else if (!is_pumping_) {
    take_pump();
    pump();
    give_pump();
  }
  found = 0;
  for (uint32_t i = 0; i < count; ++i) found += (ready[i] = engine_->is_ready(refs[i]) ? 1 : 0);
  after_operation();
  return found >= want ? TBK_OK : status;
}

tbk_status_t Endpoint::wait_for_credit(tbk_incoming_t handle, int64_t timeout_ns) {
  Lock lock(mutex_);
  call::Waiter waiter;
  bool is_over = false;
  const tbk_status_t status = wait_until(lock, waiter, timeout_ns, [&] {
    const call::IncomingCall* incoming = engine_->incoming(handle);
    is_over = incoming == nullptr || incoming->is_cancelled;
    return is_over || incoming->has_credit(incoming->bytes_wanted);
  });
  return status == TBK_OK && is_over ? TBK_CLOSED : status;
}

tbk_status_t Endpoint::wait_for_room(tbk_target_t target, int64_t timeout_ns) {
  Lock lock(mutex_);
  call::Waiter waiter;
  engine_->add_room_waiter(target, &waiter);
  const tbk_status_t status =
      wait_until(lock, waiter, timeout_ns, [&] { return engine_->has_room(target); });
  engine_->remove_room_waiter(target, &waiter);
  return status;
}

void Endpoint::look() {
  const Lock lock(mutex_);
  if (is_pumping_) return;
  take_pump();
  pump();
  give_pump();
}

// The calls that were given out are done with: how long did one take?
void Endpoint::measure_calls() {
  if (given_ns_ == 0 || calls_given_ == 0) return;
  const uint64_t each = (now_ns() - given_ns_) / calls_given_ + 1;
  given_ns_ = 0;
  const auto fitting = static_cast<uint32_t>(std::clamp<uint64_t>(kBatchNs / each, 1, kBatchMax));
  calls_at_once_ = std::min(fitting, 2 * calls_at_once_);
}

tbk_status_t Endpoint::poll(tbk_event_t* events, uint32_t max, int64_t timeout_ns,
                            uint32_t* count) {
  Lock lock(mutex_);
  *count = 0;
  measure_calls();
  is_polling_ = true;
  const tbk_status_t status = poll_locked(lock, events, max, timeout_ns, count);
  is_polling_ = false;
  return status;
}

tbk_status_t Endpoint::poll_locked(Lock& lock, tbk_event_t* events, uint32_t max,
                                   int64_t timeout_ns, uint32_t* count) {
  if (is_armed_) {
    is_armed_ = false;
    uint64_t rings = 0;
    (void)!read(self_.poll_fd, &rings, sizeof rings);
  }
  const uint64_t deadline_ns = deadline_after(timeout_ns);
  while (true) {
    // Also while there are events: the call of another caller may have arrived behind many of one,
    // and its turn is next.
    if (!is_pumping_ && (timeout_ns == 0 || record_->wake.doorbell.any())) {
      take_pump();
      pump();
      give_pump();
    }
    if (engine_->has_events() && take_events(events, max, count)) return TBK_OK;
    if (timeout_ns == 0) return TBK_WOULD_BLOCK;
    // What there was may have been about calls and refs that are gone.
    const uint64_t now = deadline_ns == kNever ? 0 : now_ns();
    const int64_t left = deadline_ns == kNever
                             ? -1
                             : static_cast<int64_t>(deadline_ns > now ? deadline_ns - now : 0);
    call::Waiter waiter;
    poll_waiter_ = &waiter;
    const tbk_status_t status =
        wait_until(lock, waiter, left, [this] { return engine_->has_events(); });
    poll_waiter_ = nullptr;
    if (status != TBK_OK) return status;
  }
}

bool Endpoint::take_events(tbk_event_t* events, uint32_t max, uint32_t* count) {
  calls_given_ = 0;
  while (*count < max && engine_->next_event(events[*count], calls_given_ < calls_at_once_)) {
    const uint32_t kind = events[(*count)++].kind;
    if (kind == TBK_EVENT_CALL) ++calls_given_;
    // A task that turns out to be long must not hold up others that could run elsewhere.
    if (kind == TBK_EVENT_CALL && is_worker_ && events[*count - 1].instance == 0) break;
    // The text of a peer event is kept until the next one.
    if (kind == TBK_EVENT_PEER_JOINED || kind == TBK_EVENT_PEER_LEFT) break;
  }
  if (calls_given_ > 0) {
    given_ns_ = now_ns();
    poller_ = pthread_self();
    if (has_loop_ && is_loop_busy() && !is_pumping_) leave();
  }
  return *count > 0;
}

tbk_status_t Endpoint::poll_arm() {
  const Lock lock(mutex_);
  measure_calls();
  has_loop_ = true;
  engine_->serves_in_loop();
  if (!is_pumping_) pump();
  while (!engine_->has_events()) {
    is_armed_ = true;
    if (is_pumping_) return TBK_OK;  // the thread that pumps signals the loop
    if (sleeper_->prepare(shm::WakeState::kParkedPoll)) {
      sleeper_->asleep();
      return TBK_OK;
    }
    pump();
  }
  is_armed_ = false;
  return TBK_WOULD_BLOCK;
}

tbk_status_t Endpoint::poll_spin() {
  Lock lock(mutex_);
  if (engine_->has_events()) return TBK_OK;
  if (is_pumping_) return TBK_WOULD_BLOCK;
  const shm::EndpointRecord* partner = engine_->recent_partner();
  is_pumping_ = true;  // keeps the partner's record mapped
  sleeper_->awake();
  lock.unlock();
  const bool is_rung = spinner_->spin([this] { return record_->wake.doorbell.any(); }, partner);
  lock.lock();
  give_pump();
  return is_rung ? TBK_OK : TBK_WOULD_BLOCK;
}

void Endpoint::wake() {
  interrupt_ = true;
  shm::ring_and_wake(self_, index_);
}

}  // namespace thornback::runtime
