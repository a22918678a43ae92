#include "node/exit_cause.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/unique_fd.h"

namespace thornback::node {
namespace {

constexpr std::array<std::pair<int, const char*>, 20> kSignalNames{{
    {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"},
    {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"}, {SIGXCPU, "SIGXCPU"},
    {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"},   {SIGIO, "SIGIO"},     {SIGVTALRM, "SIGVTALRM"},
}};

// Fields of /proc/<pid>/stat, counted as in proc(5).
constexpr int kStateField = 3;
constexpr int kFlagsField = 9;
constexpr int kExitCodeField = 52;
constexpr unsigned long kExitingFlag = 0x4;  // PF_EXITING

// The kernel shows the exit code of a process as soon as it begins to end. Zero is ambiguous: it
// counts only once the process is known to be ending.
std::optional<int> status_from_proc(int32_t pid) {
  char path[32];
  std::snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file.is_valid()) return std::nullopt;
  char text[1024];
  const ssize_t size = read(file.get(), text, sizeof(text) - 1);
  if (size <= 0) return std::nullopt;
  text[size] = 0;
  // The name in field 2 may hold any character: the fields
  // after it are counted from its last bracket.
  char* cursor = std::strrchr(text, ')');
  if (cursor == nullptr) return std::nullopt;
  ++cursor;
  char state = 0;
  unsigned long flags = 0;
  char* rest = nullptr;
  int field = kStateField;
  for (char* word = strtok_r(cursor, " \n", &rest); word != nullptr;
       word = strtok_r(nullptr, " \n", &rest), ++field) {
    if (field == kStateField) state = *word;
    if (field == kFlagsField) flags = std::strtoul(word, nullptr, 10);
    if (field != kExitCodeField) continue;
    const auto code = static_cast<int>(std::strtol(word, nullptr, 10));
    const bool is_ending = state == 'Z' || state == 'X' || (flags & kExitingFlag) != 0;
    if (code != 0 || is_ending) return code;
    return std::nullopt;
  }
  return std::nullopt;
}

// Linux 6.15 keeps the status for holders of a process descriptor after the parent has reaped.
struct PidFdInfo {
  uint64_t mask;
  uint64_t cgroup_id;
  uint32_t ids[11];
  int32_t exit_code;
};
static_assert(sizeof(PidFdInfo) == 64);
constexpr uint64_t kInfoExit = 1u << 3;

std::optional<int> status_from_pid_fd(int pid_fd) {
  PidFdInfo info{};
  info.mask = kInfoExit;
  if (ioctl(pid_fd, _IOWR(0xFF, 11, PidFdInfo), &info) != 0 || (info.mask & kInfoExit) == 0)
    return std::nullopt;
  return info.exit_code;
}

}  // namespace

std::string describe_wait_status(int wait_status) {
  if (WIFEXITED(wait_status)) return "exited with code " + std::to_string(WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  std::string text = "killed by signal " + std::to_string(signal);
  for (const auto& [number, name] : kSignalNames) {
    if (number == signal) text += std::string(" (") + name + ")";
  }
  return text;
}

std::optional<std::string> find_exit_cause(int32_t pid, int pid_fd) {
  std::optional<int> status = status_from_proc(pid);
  // Only now is it certain that the number still meant this process when it was read.
  if (syscall(SYS_pidfd_send_signal, pid_fd, 0, nullptr, 0) != 0)
    status = status_from_pid_fd(pid_fd);
  if (!status.has_value()) return std::nullopt;
  return describe_wait_status(*status);
}

}  // namespace thornback::node
