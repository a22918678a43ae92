// A child process that plays an endpoint, driven line by
// line (see helper_main.h for what it understands).
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "node/testing/recording_sink.h"

namespace thornback::node::testing {

inline constexpr char kHelperFlag[] = "--play-endpoint";

class HelperProcess {
 public:
  // Runs this executable again. It dies with the thread that started it.
  explicit HelperProcess(const std::string& socket_path) {
    int to_child[2];
    int from_child[2];
    EXPECT_EQ(pipe2(to_child, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(from_child, O_CLOEXEC), 0);
    commands_.reset(to_child[1]);
    answers_.reset(from_child[0]);
    const UniqueFd child_in(to_child[0]);
    const UniqueFd child_out(from_child[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_in.get(), 0);
    posix_spawn_file_actions_adddup2(&actions, child_out.get(), 1);
    std::string program = "node_test";
    std::string flag = kHelperFlag;
    std::string path = socket_path;
    char* arguments[] = {program.data(), flag.data(), path.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~HelperProcess() {
    if (pid_ <= 0) return;
    kill(SIGKILL);
    reap();
  }
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  int32_t pid() const { return pid_; }
  void kill(int signal) const { ::kill(pid_, signal); }
  // Waits for its end; returns the status as waitpid gives it.
  int reap() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    return status;
  }

  // Sends a command without waiting for its answer.
  void tell(const std::string& command) const {
    const std::string line = command + "\n";
    EXPECT_EQ(write(commands_.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()))
        << command;
  }
  // Sends a command and returns the line it answers.
  std::string ask(const std::string& command) {
    tell(command);
    return read_line();
  }
  uint32_t ask_number(const std::string& command) {
    const std::string answer = ask(command);
    EXPECT_FALSE(answer.empty() || answer.find_first_not_of("0123456789") != std::string::npos)
        << command << " answered: " << answer;
    return static_cast<uint32_t>(std::strtoul(answer.c_str(), nullptr, 10));
  }
  std::string read_line() {
    for (;;) {
      if (const size_t end = pending_.find('\n'); end != std::string::npos) {
        std::string line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        return line;
      }
      pollfd item{answers_.get(), POLLIN, 0};
      const int ready =
          poll(&item, 1, static_cast<int>(std::chrono::milliseconds(kWatchdog).count()));
      char buffer[256];
      const ssize_t size = ready > 0 ? read(answers_.get(), buffer, sizeof(buffer)) : 0;
      if (size <= 0) {
        ADD_FAILURE() << "the helper process " << (ready > 0 ? "ended" : "hangs");
        return "";
      }
      pending_.append(buffer, static_cast<size_t>(size));
    }
  }

 private:
  pid_t pid_ = -1;
  UniqueFd commands_, answers_;
  std::string pending_;
};

}  // namespace thornback::node::testing
