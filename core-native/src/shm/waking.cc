#include "shm/waking.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace thornback::shm {

namespace {

// Without FUTEX_PRIVATE_FLAG: waiter and waker are different processes.
long futex(std::atomic<uint32_t>& word, int operation, uint32_t value, const timespec* timeout) {
  return syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation, value, timeout, nullptr,
                 0);
}

void write_eventfd(int fd) {
  const uint64_t one = 1;
  // The only expected failure is a counter at its limit, which keeps the descriptor readable as
  // well.
  [[maybe_unused]] const ssize_t written = fd >= 0 ? write(fd, &one, sizeof one) : 0;
}

void wake_all_ways(const WakeTargets& target) {
  futex(target.record->wake.word.value, FUTEX_WAKE, INT_MAX, nullptr);
  write_eventfd(target.poll_fd);
  write_eventfd(target.keeper_fd);
}

}  // namespace

bool ring_and_wake(const WakeTargets& target, uint32_t own_index) {
  WakeBlock& wake = target.record->wake;
  wake.doorbell.ring(own_index);
  switch (wake.word.take_duty()) {
    case WakeState::kAwake: return false;
    case WakeState::kParkedFutex: futex(wake.word.value, FUTEX_WAKE, INT_MAX, nullptr); return true;
    case WakeState::kParkedPoll: write_eventfd(target.poll_fd); return true;
    case WakeState::kAway: write_eventfd(target.keeper_fd); return true;
  }
  wake_all_ways(target);  // a faulty peer wrote the word
  return true;
}

void ring_for_the_dead(const WakeTargets& target, uint32_t dead_index) {
  target.record->wake.doorbell.ring(dead_index);
  target.record->wake.word.take_duty();
  wake_all_ways(target);
}

void Sleeper::awake() {
  record_.wake.word.set_awake();
  record_.cpu.store(sched_getcpu(), std::memory_order_relaxed);
  activity_.store(1, std::memory_order_relaxed);
}

void Sleeper::asleep() {
  record_.cpu.store(-1, std::memory_order_relaxed);
  activity_.store(0, std::memory_order_relaxed);
}

WaitResult Sleeper::sleep_on_futex(int64_t timeout_ns) {
  asleep();
  record_.sleeps.store(record_.sleeps.load(std::memory_order_relaxed) + 1,
                       std::memory_order_relaxed);
  timespec timeout{};
  if (timeout_ns >= 0) {
    timeout.tv_sec = static_cast<time_t>(timeout_ns / 1'000'000'000);
    timeout.tv_nsec = static_cast<long>(timeout_ns % 1'000'000'000);
  }
  // Returns at once with EAGAIN when a sender has already exchanged the word.
  const long result =
      futex(record_.wake.word.value, FUTEX_WAIT, static_cast<uint32_t>(WakeState::kParkedFutex),
            timeout_ns >= 0 ? &timeout : nullptr);
  const int error_number = result == 0 ? 0 : errno;
  awake();
  if (error_number == ETIMEDOUT) return WaitResult::kTimedOut;
  if (error_number == EINTR) return WaitResult::kInterrupted;
  return WaitResult::kWoken;
}

}  // namespace thornback::shm
