// Why a process ended, as a sentence for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace thornback::node {

// "killed by signal 9 (SIGKILL)" or "exited with code 3", from a status as waitpid() gives it.
std::string describe_wait_status(int wait_status);

// The cause if the kernel tells it already; the process may still be ending, be a zombie, or have
// been reaped by its parent. Never reaps it: that is its parent's right. Never blocks.
std::optional<std::string> find_exit_cause(int32_t pid, int pid_fd);

}  // namespace thornback::node
