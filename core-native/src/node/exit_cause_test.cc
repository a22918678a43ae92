#include "node/exit_cause.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace thornback::node {
namespace {

struct Child {
  pid_t pid = -1;
  UniqueFd pid_fd;

  // Waits until `code` is asked for, or a signal comes.
  Child() {
    pid = fork();
    if (pid == 0) {
      for (;;) pause();
    }
    pid_fd.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  }
  explicit Child(int code) {
    pid = fork();
    if (pid == 0) _exit(code);
    pid_fd.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  }
  void wait_for_end() const {
    pollfd item{pid_fd.get(), POLLIN, 0};
    ASSERT_EQ(poll(&item, 1, 60'000), 1);
  }
  ~Child() {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
};

TEST(ExitCauseTest, DescribesStatuses) {
  EXPECT_EQ(describe_wait_status(3 << 8), "exited with code 3");
  EXPECT_EQ(describe_wait_status(0), "exited with code 0");
  EXPECT_EQ(describe_wait_status(9), "killed by signal 9 (SIGKILL)");
  EXPECT_EQ(describe_wait_status(11 | 0x80), "killed by signal 11 (SIGSEGV)");
  EXPECT_EQ(describe_wait_status(40), "killed by signal 40");
}

TEST(ExitCauseTest, ARunningProcessHasNone) {
  const Child child;
  EXPECT_EQ(find_exit_cause(child.pid, child.pid_fd.get()), std::nullopt);
}

TEST(ExitCauseTest, AZombieIsReadAndNotReaped) {
  const Child killed;
  kill(killed.pid, SIGTERM);
  killed.wait_for_end();
  EXPECT_EQ(find_exit_cause(killed.pid, killed.pid_fd.get()), "killed by signal 15 (SIGTERM)");
  int status = 0;
  EXPECT_EQ(waitpid(killed.pid, &status, WNOHANG), killed.pid);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);

  for (const int code : {0, 1, 255}) {
    const Child exited(code);
    exited.wait_for_end();
    EXPECT_EQ(find_exit_cause(exited.pid, exited.pid_fd.get()),
              "exited with code " + std::to_string(code));
  }
}

// Kernels before 6.15 forget the status when the parent reaps.
TEST(ExitCauseTest, AReapedProcessIsNotMistakenForAnother) {
  const Child child;
  kill(child.pid, SIGKILL);
  child.wait_for_end();
  waitpid(child.pid, nullptr, 0);
  // This very process stands for one that got the same number since.
  const std::optional<std::string> cause = find_exit_cause(getpid(), child.pid_fd.get());
  EXPECT_TRUE(!cause.has_value() || *cause == "killed by signal 9 (SIGKILL)") << *cause;
}

}  // namespace
}  // namespace thornback::node
