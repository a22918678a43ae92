// Helper threads that live inside somebody else's process.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <system_error>
#include <thread>
#include <utility>

namespace thornback::node {

// Asks the scheduler to let the calling thread run soon after it wakes, at the price of a shorter
// turn. A hint that needs no rights; kernels before 6.12 ignore it.
inline void prefer_short_turns() {
  struct {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
  } attributes{};
  attributes.size = sizeof(attributes);
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;  // somebody has decided already
  attributes.runtime_ns = 100'000;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

// Starts a thread that receives no signals: those belong to the host's
// own threads, whose handlers would otherwise run here. The name is at
// most 15 bytes. Not joinable if the system refuses a thread.
template <typename Body>
std::thread start_quiet_thread(const char* name, Body body) {
  sigset_t all;
  sigset_t previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  std::thread thread;
  try {
    thread = std::thread([body = std::move(body)]() mutable {
      prefer_short_turns();
      body();
    });
    pthread_setname_np(thread.native_handle(), name);
  } catch (const std::system_error&) {
  }
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  return thread;
}

}  // namespace thornback::node
