// Calls from C++ to C++ through the whole engine, in two processes: one at a time (hot), and a
// window of 1,000. Prints JSON lines.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/clock.h"
#include "thornback.h"

namespace {

void check(tbk_status_t status, const char* what) {
  if (status == TBK_OK) return;
  std::fprintf(stderr, "%s: %s: %s\n", what, tbk_status_name(status), tbk_last_error());
  std::exit(1);
}

tbk_attach_options_t options_for(const char* socket, uint32_t role, int64_t spin_ns) {
  tbk_attach_options_t options{};
  options.size = sizeof options;
  options.role = role;
  options.socket_path = socket;
  options.language = "cpp";
  options.spin_ns = spin_ns;
  return options;
}

[[noreturn]] void serve(const char* socket, int64_t spin_ns) {
  tbk_attach_options_t options = options_for(socket, TBK_ROLE_WORKER, spin_ns);
  options.flags = TBK_ATTACH_EXIT_WITH_NODE;
  tbk_endpoint_t* endpoint = nullptr;
  const pid_t parent = getppid();
  while (tbk_attach(&options, &endpoint) != TBK_OK) {
    if (getppid() != parent) _exit(1);
    usleep(1000);
  }
  tbk_event_t events[64];
  while (true) {
    uint32_t count = 0;
    if (tbk_poll(endpoint, events, 64, -1, &count) == TBK_CLOSED) _exit(0);
    for (uint32_t i = 0; i < count; ++i) {
      if (events[i].kind == TBK_EVENT_SHUTDOWN) _exit(0);
      if (events[i].kind != TBK_EVENT_CALL) continue;
      tbk_reply_t reply{};
      reply.call = events[i].call;
      reply.value.data = events[i].value.data;
      reply.value.size = events[i].value.size;
      uint32_t accepted = 0;
      check(tbk_reply(endpoint, &reply, 1, &accepted), "reply");
    }
  }
}

struct Driver {
  tbk_endpoint_t* endpoint;
  tbk_target_t target;
  tbk_function_t function;

  tbk_ref_t submit(uint64_t value) const {
    tbk_call_t call{};
    check(tbk_ref_reserve(endpoint, 1, &call.result), "reserve");
    call.target = target;
    call.function = function;
    call.args.data = reinterpret_cast<const uint8_t*>(&value);
    call.args.size = sizeof value;
    uint32_t accepted = 0;
    check(tbk_submit(endpoint, &call, 1, &accepted), "submit");
    return call.result;
  }

  void take(tbk_ref_t ref, uint64_t expected) const {
    uint8_t ready = 0;
    check(tbk_wait(endpoint, &ref, 1, 1, -1, &ready), "wait");
    tbk_value_t value{};
    check(tbk_ref_read(endpoint, ref, &value), "read");
    uint64_t answer = 0;
    std::memcpy(&answer, value.data, sizeof answer);
    if (answer != expected) std::exit(2);
    tbk_ref_release(endpoint, &ref, 1);
  }
};

void report(const char* name, std::vector<uint64_t>& times_ns, double calls_per_s) {
  std::sort(times_ns.begin(), times_ns.end());
  const auto at = [&](double share) {
    return static_cast<double>(
               times_ns[static_cast<size_t>(share * static_cast<double>(times_ns.size() - 1))]) /
           1e3;
  };
  std::printf("{\"case\":\"%s\",\"calls_per_s\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f}\n", name,
              calls_per_s, at(0.5), at(0.99));
}

void run_sync(const Driver& driver, uint64_t calls, useconds_t gap_us, const char* name) {
  std::vector<uint64_t> times;
  uint64_t busy_ns = 0;
  for (uint64_t i = 0; i < calls; ++i) {
    const uint64_t start = thornback::now_ns();
    driver.take(driver.submit(i), i);
    times.push_back(thornback::now_ns() - start);
    busy_ns += times.back();
    if (gap_us > 0) usleep(gap_us);
  }
  report(name, times, static_cast<double>(calls) * 1e9 / static_cast<double>(busy_ns));
}

void run_window(const Driver& driver, uint64_t calls, uint64_t window, const char* name) {
  std::vector<tbk_ref_t> refs(window);
  std::vector<uint64_t> starts(window), times;
  const uint64_t start = thornback::now_ns();
  for (uint64_t i = 0; i < calls + window; ++i) {
    if (i >= window) {
      driver.take(refs[i % window], i - window);
      times.push_back(thornback::now_ns() - starts[i % window]);
    }
    if (i < calls) {
      starts[i % window] = thornback::now_ns();
      refs[i % window] = driver.submit(i);
    }
  }
  report(name, times,
         static_cast<double>(calls) * 1e9 / static_cast<double>(thornback::now_ns() - start));
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t spin_ns = argc > 1 ? std::strtoll(argv[1], nullptr, 10) : -1;
  std::string folder = "/tmp/thornback-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return 1;
  const std::string socket = folder + "/node.sock";
  const pid_t child = fork();
  if (child == 0) serve(socket.c_str(), spin_ns);
  tbk_node_options_t node{};
  node.size = sizeof node;
  node.socket_path = socket.c_str();
  node.store_bytes_max = 256 << 20;
  const tbk_attach_options_t self = options_for(socket.c_str(), TBK_ROLE_AGENT, spin_ns);
  Driver driver{};
  check(tbk_node_start(&node, &self, &driver.endpoint), "node start");
  tbk_event_t event;
  uint32_t count = 0;
  check(tbk_poll(driver.endpoint, &event, 1, -1, &count), "poll");
  check(tbk_target_endpoint(driver.endpoint, event.caller, 0, &driver.target), "target");
  check(tbk_function(driver.endpoint, "echo", 4, &driver.function), "function");
  run_sync(driver, 1000, 0, "warm-up");
  run_sync(driver, 100'000, 0, "sync");
  run_sync(driver, 500, 1000, "sync-sparse");
  run_window(driver, 1'000'000, 1000, "window-1000");
  run_window(driver, 1'000'000, 100, "window-100");
  tbk_stats_t stats{};
  stats.size = sizeof stats;
  (void)tbk_endpoint_stats(driver.endpoint, &stats);
  std::printf("{\"wakes_sent\":%llu,\"sleeps\":%llu}\n",
              static_cast<unsigned long long>(stats.wakes_sent),
              static_cast<unsigned long long>(stats.sleeps));
  tbk_detach(driver.endpoint);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  rmdir(folder.c_str());
  return 0;
}
