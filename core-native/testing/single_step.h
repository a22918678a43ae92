// Kills a child process before any chosen instruction of an action: every state in which a process
// can die is reached, without hooks in the code under test.
#pragma once

#include <cstdint>
#include <functional>

namespace thornback::testing {

inline constexpr uint64_t kWholeAction = ~uint64_t{0};

struct SingleStepResult {
  uint64_t instructions = 0;  // executed before the end
  bool is_complete = false;   // the action had returned before it was to be killed
};

// Forks, runs `action` in the child one instruction at a time and kills it with SIGKILL after
// `instructions` of them, or when the action has returned. Returns when the child is gone. What the
// child does is visible in shared memory only. Both processes are on one CPU meanwhile, because
// each step is a switch between them. Ends the process if tracing is not permitted.
SingleStepResult run_and_kill(uint64_t instructions, const std::function<void()>& action);

}  // namespace thornback::testing
