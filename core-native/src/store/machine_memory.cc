#include "store/machine_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/unique_fd.h"

namespace thornback::store {

namespace {

// The whole of a small file of /proc or /sys; nothing if it cannot be read.
std::optional<std::string> read_small_file(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_valid()) return std::nullopt;
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t count = read(fd.get(), buffer, sizeof buffer);
    if (count < 0) return std::nullopt;
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

std::optional<uint64_t> parse_number(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return std::nullopt;
  uint64_t number = 0;
  const auto result = std::from_chars(text.data() + start, text.data() + text.size(), number);
  if (result.ec != std::errc()) return std::nullopt;
  return number;
}

// The number after `key` at the start of a line.
std::optional<uint64_t> field(const std::string& text, std::string_view key) {
  for (size_t line = 0; line < text.size();) {
    if (std::string_view(text).substr(line, key.size()) == key) {
      return parse_number(std::string_view(text).substr(line + key.size()));
    }
    const size_t end = text.find('\n', line);
    if (end == std::string::npos) break;
    line = end + 1;
  }
  return std::nullopt;
}

std::optional<uint64_t> number_in(const std::string& path) {
  const std::optional<std::string> text = read_small_file(path);
  return text ? parse_number(*text) : std::nullopt;
}

constexpr uint64_t kNoLimit = uint64_t{1} << 60;

struct GroupFiles {
  const char* limit;
  const char* usage;
  const char* inactive_file;  // page cache that the group gives up first
};
constexpr GroupFiles kVersion2{"/memory.max", "/memory.current", "inactive_file "};
constexpr GroupFiles kVersion1{"/memory.limit_in_bytes", "/memory.usage_in_bytes",
                               "total_inactive_file "};

// Applies the limit of one group. A group may have less left than the groups below it may use, so
// each counts. "max", and version 1's number near 2^63, mean that there is no limit.
void apply_group(const std::string& folder, const GroupFiles& files, MachineMemory& memory) {
  const std::optional<uint64_t> limit = number_in(folder + files.limit);
  if (!limit || *limit >= kNoLimit) return;
  memory.total = std::min(memory.total, *limit);
  const std::optional<uint64_t> usage = number_in(folder + files.usage);
  if (!usage) return;
  const std::optional<std::string> stat = read_small_file(folder + "/memory.stat");
  const uint64_t cache = stat ? field(*stat, files.inactive_file).value_or(0) : 0;
  const uint64_t used = *usage > cache ? *usage - cache : 0;
  memory.available = std::min(memory.available, *limit > used ? *limit - used : 0);
}

// A limit of any group up to the root holds. The root of the mount comes last: inside a container
// that is where the container's own group appears, whatever path /proc/self/cgroup shows.
void apply_hierarchy(const std::string& mount, std::string_view group, const GroupFiles& files,
                     MachineMemory& memory) {
  std::string path(group);
  while (!path.empty() && path != "/") {
    apply_group(mount + path, files, memory);
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  apply_group(mount, files, memory);
}

void apply_groups(const std::string& root, const std::string& groups, MachineMemory& memory) {
  for (size_t start = 0; start < groups.size();) {
    const size_t end = std::min(groups.find('\n', start), groups.size());
    const std::string_view line = std::string_view(groups).substr(start, end - start);
    start = end + 1;
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = line.substr(second + 1);
    if (controllers.empty()) apply_hierarchy(root + "/sys/fs/cgroup", group, kVersion2, memory);
    if (controllers == "memory") {
      apply_hierarchy(root + "/sys/fs/cgroup/memory", group, kVersion1, memory);
    }
  }
}

std::string mebibytes(uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

Result<MachineMemory> machine_memory(const std::string& root) {
  const std::optional<std::string> info = read_small_file(root + "/proc/meminfo");
  if (!info) return Status::io("reading " + root + "/proc/meminfo");
  const std::optional<uint64_t> total = field(*info, "MemTotal:");
  const std::optional<uint64_t> available = field(*info, "MemAvailable:");
  if (!total || !available) {
    return Status(TBK_IO, root + "/proc/meminfo has no MemTotal or no MemAvailable");
  }
  MachineMemory memory{*total * 1024, *available * 1024};
  const std::optional<std::string> groups = read_small_file(root + "/proc/self/cgroup");
  if (groups) apply_groups(root, *groups, memory);
  return memory;
}

Result<uint64_t> usable_memory_bytes() {
  const Result<MachineMemory> memory = machine_memory();
  if (!memory.is_ok()) return memory.status();
  return memory.value().available;
}

Status check_store_capacity(uint64_t bytes) {
  const Result<MachineMemory> memory = machine_memory();
  if (!memory.is_ok()) return memory.status();
  if (bytes <= memory.value().available) return Status::ok();
  return {TBK_NO_MEMORY, "a store of " + mebibytes(bytes) + " was asked for, but only " +
                             mebibytes(memory.value().available) + " of this machine's " +
                             mebibytes(memory.value().total) +
                             " of memory are available: ask for a smaller store, or end other "
                             "programs"};
}

}  // namespace thornback::store
