#include "testing/single_step.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/check.h"

namespace thornback::testing {

namespace {

// Keeps the calling thread, and the children it forks, on the CPU it has now.
class StayOnThisCpu {
 public:
  StayOnThisCpu() {
    TBK_CHECK(sched_getaffinity(0, sizeof before_, &before_) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(sched_getcpu()), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~StayOnThisCpu() { sched_setaffinity(0, sizeof before_, &before_); }
  StayOnThisCpu(const StayOnThisCpu&) = delete;
  StayOnThisCpu& operator=(const StayOnThisCpu&) = delete;

 private:
  cpu_set_t before_{};
};

// raise() without the hundred instructions around its system call, which would all be stepped
// through.
void stop_self(pid_t self, int signal) {
  syscall(SYS_tgkill, self, self, signal);
}

[[noreturn]] void run_child(const std::function<void()>& action) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
  const pid_t self = getpid();
  stop_self(self, SIGUSR1);  // the parent takes over here
  action();
  stop_self(self, SIGUSR2);
  _exit(0);
}

int wait_for_stop(pid_t child) {
  int status = 0;
  TBK_CHECK(waitpid(child, &status, 0) == child);
  TBK_CHECK(WIFSTOPPED(status));  // fails where tracing is not permitted (ptrace)
  return WSTOPSIG(status);
}

}  // namespace

SingleStepResult run_and_kill(uint64_t instructions, const std::function<void()>& action) {
  const StayOnThisCpu stay;
  const pid_t child = fork();
  TBK_CHECK(child >= 0);
  if (child == 0) run_child(action);
  TBK_CHECK(wait_for_stop(child) == SIGUSR1);
  SingleStepResult result;
  while (result.instructions < instructions) {
    TBK_CHECK(ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) == 0);
    if (wait_for_stop(child) == SIGUSR2) {
      result.is_complete = true;
      break;
    }
    ++result.instructions;
  }
  kill(child, SIGKILL);
  TBK_CHECK(waitpid(child, nullptr, 0) == child);
  return result;
}

}  // namespace thornback::testing
