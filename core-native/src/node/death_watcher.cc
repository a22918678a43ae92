#include "node/death_watcher.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "node/liveness.h"
#include "node/quiet_thread.h"

namespace thornback::node {
namespace {

#ifndef SYS_futex_waitv
constexpr long kFutexWaitv = 449;
#else
constexpr long kFutexWaitv = SYS_futex_waitv;
#endif

// As the kernel defines it; older headers do not have it.
struct FutexWaiter {
  uint64_t value;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};
constexpr uint32_t kFutex32 = 2;
constexpr size_t kWaitersMax = 128;
constexpr size_t kWordsMax = kWaitersMax - 1;  // one waiter is the group's own kick

FutexWaiter waiter_on(const void* address, uint32_t value, uint32_t flags) {
  return {value, reinterpret_cast<uint64_t>(address), kFutex32 | flags, 0};
}

// No words at all is an invalid argument where the call exists.
bool has_futex_waitv() {
  return syscall(kFutexWaitv, nullptr, 0, 0, nullptr, 0) != 0 && errno == EINVAL;
}

}  // namespace

class DeathWatcher::Group {
 public:
  explicit Group(const Report& report)
      : report_(report), thread_(start_quiet_thread("tbk-watch", [this] { run(); })) {}

  ~Group() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    kick();
    if (is_running()) thread_.join();
  }

  bool is_running() const { return thread_.joinable(); }

  bool add(uint64_t tag, const uint32_t* futex, uint32_t armed_value) {
    {
      const std::lock_guard lock(mutex_);
      if (words_.size() == kWordsMax) return false;
      words_.push_back({tag, futex, armed_value});
    }
    kick();
    return true;
  }

  bool remove(uint64_t tag) {
    const std::lock_guard lock(mutex_);
    const size_t removed = std::erase_if(words_, [&](const Word& word) { return word.tag == tag; });
    // The thread may sleep on the word for a while: the kernel needs no mapping for that. The kick
    // keeps it from going to sleep once more on an address that means something else by then.
    if (removed != 0) kick();
    return removed != 0;
  }

 private:
  struct Word {
    uint64_t tag;
    const uint32_t* futex;
    uint32_t armed_value;
  };

  void kick() {
    kick_.fetch_add(1, std::memory_order_seq_cst);
    syscall(SYS_futex, &kick_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

  void run() {
    std::vector<FutexWaiter> waiters;
    std::vector<uint64_t> dead;
    while (collect(waiters, dead)) {
      for (const uint64_t tag : dead) report_(tag);
      // Every outcome leads to another look at the words: a wake-up, a value that has changed
      // meanwhile (EAGAIN), a word that has been unmapped meanwhile (EFAULT, together with a kick).
      syscall(kFutexWaitv, waiters.data(), waiters.size(), 0, nullptr, 0);
    }
  }

  bool collect(std::vector<FutexWaiter>& waiters, std::vector<uint64_t>& dead) {
    waiters.clear();
    dead.clear();
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return false;
    waiters.push_back(waiter_on(&kick_, kick_.load(std::memory_order_seq_cst), FUTEX_PRIVATE_FLAG));
    std::erase_if(words_, [&](const Word& word) {
      const LivenessState state = liveness_state(word.futex, word.armed_value);
      if (state == LivenessState::kOwnerDied) dead.push_back(word.tag);
      if (state == LivenessState::kAlive)
        waiters.push_back(waiter_on(word.futex, word.armed_value, 0));
      return state != LivenessState::kAlive;
    });
    return true;
  }

  const Report& report_;
  std::mutex mutex_;
  std::vector<Word> words_;   // guarded by mutex_
  bool is_stopping_ = false;  // guarded by mutex_
  std::atomic<uint32_t> kick_{0};
  std::thread thread_;
};

DeathWatcher::DeathWatcher(Report report)
    : report_(std::move(report)), is_supported_(has_futex_waitv()) {}
DeathWatcher::~DeathWatcher() = default;

void DeathWatcher::add(uint64_t tag, const uint32_t* futex, uint32_t armed_value) {
  if (!is_supported_) return;
  for (const auto& group : groups_) {
    if (group->add(tag, futex, armed_value)) return;
  }
  auto group = std::make_unique<Group>(report_);
  if (!group->is_running()) return;
  group->add(tag, futex, armed_value);
  groups_.push_back(std::move(group));
}

void DeathWatcher::remove(uint64_t tag) {
  for (const auto& group : groups_) {
    if (group->remove(tag)) return;
  }
}

size_t DeathWatcher::group_count() const {
  return groups_.size();
}

}  // namespace thornback::node
