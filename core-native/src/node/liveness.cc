#include "node/liveness.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace thornback::node {

Result<uint32_t> Liveness::arm(shm::LivenessWord& word) {
  // Crash order: the list is complete before the word carries the thread's id. A death in between
  // leaves a word that nobody is told to watch; the socket and the process descriptor report it.
  head_.list.next = &word.entry;
  head_.futex_offset = offsetof(shm::LivenessWord, futex) - offsetof(shm::LivenessWord, entry);
  head_.list_op_pending = nullptr;
  word.entry.next = &head_.list;
  if (syscall(SYS_set_robust_list, &head_, sizeof(head_)) != 0)
    return Status::io("set_robust_list");
  word_ = &word;
  // With FUTEX_WAITERS the kernel wakes a waiter at the
  // owner's death; without it, only the mark is set.
  const uint32_t armed_value = static_cast<uint32_t>(gettid()) | FUTEX_WAITERS;
  // SYNC: a release for the acquire in liveness_state().
  __atomic_store_n(&word.futex, armed_value, __ATOMIC_RELEASE);
  return armed_value;
}

void Liveness::disarm() {
  if (word_ == nullptr) return;
  __atomic_store_n(&word_->futex, 0, __ATOMIC_RELEASE);
  head_.list.next = &head_.list;
  word_->entry.next = nullptr;
  word_ = nullptr;
}

LivenessState liveness_state(const uint32_t* futex, uint32_t armed_value) {
  const uint32_t value = __atomic_load_n(futex, __ATOMIC_ACQUIRE);
  if (value == armed_value) return LivenessState::kAlive;
  return (value & FUTEX_OWNER_DIED) != 0 ? LivenessState::kOwnerDied : LivenessState::kUnwatchable;
}

}  // namespace thornback::node
