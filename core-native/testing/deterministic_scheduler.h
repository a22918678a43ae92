// Runs cooperative threads on one real thread and explores their interleavings from a seed, with
// the memory model of x86: stores wait in a buffer of their thread and become visible to others at
// random moments, in order. Algorithms written as templates over the atomic type run here with
// ScheduledAtomic in place of std::atomic; missing fences, lost wake-ups and torn data then show
// within some hundred seeds. It cannot show a missing acquire or release: TSAN does that.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace thornback::testing {

enum class RunResult {
  kFinished,  // every thread returned or died
  kDeadlock,  // every remaining thread is blocked for ever: a wake-up was lost
  kEndless,   // the limit of steps was reached
};

class DeterministicScheduler {
 public:
  explicit DeterministicScheduler(uint64_t seed);
  ~DeterministicScheduler();
  DeterministicScheduler(const DeterministicScheduler&) = delete;
  DeterministicScheduler& operator=(const DeterministicScheduler&) = delete;

  // The scheduler whose run() is active, or nullptr.
  static DeterministicScheduler* current();

  // Adds a thread. A mortal one is killed at a random step below `steps_max`, without unwinding its
  // stack; its buffered stores become visible before anybody learns of the death, because the
  // kernel cannot end a process without emptying the store buffer of its CPU.
  void spawn(std::function<void()> body);
  void spawn_mortal(std::function<void()> body, uint64_t steps_max);
  RunResult run();

  // For the threads. Everything random comes from the seed.
  uint64_t random(uint64_t below);
  void step();                     // another thread may run here, and buffered stores may arrive
  void block_on(const void* key);  // until unblock(key); spurious wake-ups do not happen
  void unblock(const void* key);   // everybody who is blocked on it
  void wait_for_death();           // until every mortal thread has died or returned
  bool any_has_died() const { return deaths_ > 0; }

  // For ScheduledAtomic: the memory as the running thread sees it.
  uint64_t load(const uint64_t& cell);
  void store(uint64_t& cell, uint64_t value);
  void drain_own_stores();

 private:
  struct Thread;
  struct BufferedStore {
    uint64_t* cell;
    uint64_t value;
  };

  static void enter_thread();
  void add(std::function<void()> body, uint64_t steps_left);
  void switch_to(Thread* next);
  void finish_running();
  void die();
  Thread* choose_next();
  bool commit_random_store();
  void note_mortal_end();

  uint64_t state_;
  uint64_t switch_one_in_;
  uint64_t commit_one_in_;
  uint64_t steps_ = 0;
  uint64_t deaths_ = 0;
  uint64_t mortals_alive_ = 0;
  RunResult result_ = RunResult::kFinished;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::unique_ptr<Thread> outside_;  // the context that called run()
  Thread* running_ = nullptr;
};

// std::atomic for threads of a DeterministicScheduler. Outside a run it is plain memory.
template <class T>
class ScheduledAtomic {
  static_assert(std::is_integral_v<T> && sizeof(T) <= sizeof(uint64_t));

 public:
  constexpr ScheduledAtomic() = default;
  constexpr ScheduledAtomic(T value)
      : cell_(static_cast<uint64_t>(value)) {}  // NOLINT: as std::atomic
  ScheduledAtomic(const ScheduledAtomic&) = delete;
  ScheduledAtomic& operator=(const ScheduledAtomic&) = delete;

  T load(std::memory_order = std::memory_order_seq_cst) const {
    auto* scheduler = DeterministicScheduler::current();
    if (scheduler == nullptr) return static_cast<T>(cell_);
    scheduler->step();
    return static_cast<T>(scheduler->load(cell_));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    auto* scheduler = DeterministicScheduler::current();
    if (scheduler == nullptr) {
      cell_ = static_cast<uint64_t>(value);
      return;
    }
    scheduler->step();
    scheduler->store(cell_, static_cast<uint64_t>(value));
    if (order == std::memory_order_seq_cst) scheduler->drain_own_stores();
  }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
    return modify([value](T) { return value; });
  }
  T fetch_or(T bits, std::memory_order = std::memory_order_seq_cst) {
    return modify([bits](T old) { return static_cast<T>(old | bits); });
  }
  T fetch_and(T bits, std::memory_order = std::memory_order_seq_cst) {
    return modify([bits](T old) { return static_cast<T>(old & bits); });
  }
  T fetch_add(T operand, std::memory_order = std::memory_order_seq_cst) {
    return modify([operand](T old) { return static_cast<T>(old + operand); });
  }
  T fetch_sub(T operand, std::memory_order = std::memory_order_seq_cst) {
    return modify([operand](T old) { return static_cast<T>(old - operand); });
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) {
    const T wanted = expected;
    expected = modify([wanted, value](T old) { return old == wanted ? value : old; });
    return expected == wanted;
  }
  bool compare_exchange_weak(T& expected, T value,
                             std::memory_order success = std::memory_order_seq_cst,
                             std::memory_order failure = std::memory_order_seq_cst) {
    return compare_exchange_strong(expected, value, success, failure);
  }
  // What memory holds, not what a thread sees: what the kernel compares in futex().
  T in_memory() const { return static_cast<T>(cell_); }

 private:
  // A locked instruction: empties the store buffer and works on memory.
  template <class F>
  T modify(F change) {
    auto* scheduler = DeterministicScheduler::current();
    if (scheduler != nullptr) {
      scheduler->step();
      scheduler->drain_own_stores();
    }
    const T old = static_cast<T>(cell_);
    cell_ = static_cast<uint64_t>(change(old));
    return old;
  }

  uint64_t cell_ = 0;
};

// The two system calls of a futex. Returns at once if the word is not `expected`.
void scheduled_futex_wait(const ScheduledAtomic<uint32_t>& word, uint32_t expected);
void scheduled_futex_wake(const ScheduledAtomic<uint32_t>& word);

// A counter that is readable while it is not 0.
class ScheduledEventFd {
 public:
  void write();
  void wait_and_read();

 private:
  uint64_t count_ = 0;
};

// One run: `set_up` spawns the threads, `verdict` says afterwards what was wrong, or "".
struct Scenario {
  std::function<void(DeterministicScheduler&)> set_up;
  std::function<std::string()> verdict = [] { return std::string(); };
};
// Makes and runs `count` scenarios, with seeds from the one in THORNBACK_SEED on, or from a random
// one. Returns the first complaint with its seed, or "" if there was none.
std::string explore(uint64_t count, const std::function<Scenario()>& make);

}  // namespace thornback::testing
