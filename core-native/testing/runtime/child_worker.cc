#include "testing/runtime/child_worker.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "thornback.h"

namespace thornback::testing {
namespace {

void answer(tbk_endpoint_t* endpoint, const tbk_event_t& event) {
  const char* name = nullptr;
  uint32_t size = 0;
  (void)tbk_function_name(endpoint, event.function, &name, &size);
  const std::string_view function(name, size);
  if (function == "hold") return;
  if (function == "die") raise(SIGSEGV);
  if (function == "exit") _exit(3);
  tbk_reply_t reply{};
  reply.call = event.call;
  reply.value.data = event.value.data;
  reply.value.size = event.value.size;
  uint32_t accepted = 0;
  (void)tbk_reply(endpoint, &reply, 1, &accepted);
}

[[noreturn]] void serve(const std::string& socket, uint64_t resident_bytes) {
  signal(SIGSEGV, SIG_DFL);
  const std::unique_ptr<char[]> resident(new char[resident_bytes + 1]);
  std::memset(resident.get(), 1, resident_bytes);
  asm volatile("" : : "r"(resident.get()) : "memory");
  tbk_attach_options_t options{};
  options.size = sizeof options;
  options.role = TBK_ROLE_WORKER;
  options.socket_path = socket.c_str();
  options.language = "cpp";
  options.spin_ns = -1;
  options.flags = TBK_ATTACH_EXIT_WITH_NODE;
  tbk_endpoint_t* endpoint = nullptr;
  for (int attempt = 0; tbk_attach(&options, &endpoint) != TBK_OK; ++attempt) {
    if (attempt > 10'000 || getppid() == 1) _exit(1);
    usleep(1000);
  }
  tbk_event_t events[64];
  while (true) {
    uint32_t count = 0;
    (void)tbk_poll(endpoint, events, 64, -1, &count);
    for (uint32_t i = 0; i < count; ++i) {
      if (events[i].kind == TBK_EVENT_SHUTDOWN) _exit(0);
      if (events[i].kind == TBK_EVENT_CALL) answer(endpoint, events[i]);
    }
  }
}

}  // namespace

ChildWorker::ChildWorker(const std::string& socket, uint64_t resident_bytes) : pid_(fork()) {
  if (pid_ == 0) serve(socket, resident_bytes);
}

ChildWorker::~ChildWorker() {
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void ChildWorker::kill(int signal) {
  ::kill(pid_, signal);
}

}  // namespace thornback::testing
