// What the helper process of the node tests does: reads
// commands from its input, answers each with a line.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <semaphore>
#include <sstream>
#include <string>

#include "node/endpoint_id.h"
#include "node/hub.h"
#include "node/testing/helper_process.h"
#include "node/testing/raw_endpoint.h"
#include "node/testing/test_endpoint.h"

namespace thornback::node::testing {

class HelperMain {
 public:
  explicit HelperMain(std::string socket_path) : path_(std::move(socket_path)) {}

  int run() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Sanitizers turn a violation into an exit code; here
    // it has to end the process as it does elsewhere.
    signal(SIGSEGV, SIG_DFL);
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string command;
      words >> command;
      if (!run_command(command, words)) answer("unknown command: " + line);
    }
    return 0;
  }

 private:
  static void answer(const std::string& text) { std::cout << text << std::endl; }
  static void answer(const Status& status, const std::string& text) {
    answer(status.is_ok() ? text : status.text());
  }

  bool run_command(const std::string& command, std::istringstream& words) {
    if (command == "attach") return attach(words);
    if (command == "detach") return endpoint_.reset(), answer("detached"), true;
    if (command == "limit-descriptors") return limit_descriptors(words);
    if (command == "forbid-futex-waitv") return forbid_futex_waitv();
    if (command == "churn") return churn(words);
    if (command == "serve") return serve();
    if (command == "connect") return connect(words);
    if (command == "open-arena") return open_arena(words);
    if (command == "wait-death") return wait_death(words);
    if (command == "wait-node-gone") return answer(endpoint_->sink.wait_for_node_gone()), true;
    if (command == "accept")
      return answer(std::to_string(endpoint_->sink.wait_for_connection().peer.endpoint_id)), true;
    if (command == "unmapped") return unmapped(words);
    if (command == "grow") return grow(words);
    if (command == "block-keeper") return block_keeper();
    if (command == "fork") return fork_child();
    if (command == "raw") return raw(words);
    if (command == "exit") return exit_now(words);
    if (command == "segv") return ::kill(getpid(), SIGSEGV) == 0;
    return false;
  }

  bool attach(std::istringstream& words) {
    std::string token;
    words >> token;
    endpoint_ = std::make_unique<TestEndpoint>(path_, TBK_ROLE_WORKER, token);
    answer(endpoint_->status, endpoint_->status.is_ok() ? std::to_string(endpoint_->id()) : "");
    return true;
  }
  // Is a node instead: hub and agent.
  bool serve() {
    Result<std::unique_ptr<Hub>> hub = Hub::start({path_, 1 << 20, 1 << 20});
    if (hub.is_ok()) hub_ = hub.take();
    endpoint_ = std::make_unique<TestEndpoint>(path_, TBK_ROLE_AGENT);
    answer(endpoint_->status, "serving");
    return true;
  }
  bool connect(std::istringstream& words) {
    uint32_t peer = 0;
    words >> peer;
    auto connection = endpoint_->member->connect(peer, make_channel());
    answer(connection.status(),
           connection.is_ok() ? "side " + std::to_string(connection.value().side) : "");
    return true;
  }
  // As on a kernel that does not have the call.
  bool forbid_futex_waitv() {
    constexpr uint32_t kFutexWaitv = 449;
    sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                             BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kFutexWaitv, 0, 1),
                             BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                             BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog filter{4, program};
    const bool is_done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0 &&
                         syscall(kFutexWaitv, nullptr, 0, 0, nullptr, 0) != 0 && errno == ENOSYS;
    answer(is_done ? "forbidden" : "allowed");
    return true;
  }
  bool limit_descriptors(std::istringstream& words) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    words >> limit.rlim_cur;
    answer(setrlimit(RLIMIT_NOFILE, &limit) == 0 ? "limited" : "not limited");
    return true;
  }
  // For ever, until the process is killed.
  bool churn(std::istringstream& words) {
    uint32_t peer = 0;
    words >> peer;
    answer("churning");
    for (;;) {
      TestEndpoint endpoint(path_, TBK_ROLE_WORKER);
      EXPECT_TRUE(endpoint.member->connect(peer, make_channel()).is_ok());
    }
  }
  bool open_arena(std::istringstream& words) {
    uint32_t peer = 0;
    words >> peer;
    answer(endpoint_->member->open_arena(peer).status(), "open");
    return true;
  }
  bool wait_death(std::istringstream& words) {
    uint32_t peer = 0;
    words >> peer;
    answer(endpoint_->sink.wait_for_death(peer));
    return true;
  }
  bool unmapped(std::istringstream& words) {
    uint32_t peer = 0;
    words >> peer;
    endpoint_->member->arena_unmapped(peer);
    answer("told");
    return true;
  }
  // Makes the process's memory large, so that tearing it down takes long.
  bool grow(std::istringstream& words) {
    size_t megabytes = 0;
    words >> megabytes;
    const size_t size = megabytes << 20;
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(memory, size, MADV_NOHUGEPAGE);
    for (size_t offset = 0; offset < size; offset += 4096)
      static_cast<volatile char*>(memory)[offset] = 1;
    answer("grown");
    return true;
  }
  // The keeper enters its sink and does not come back.
  bool block_keeper() {
    endpoint_->sink.set_wake_hook([this] { never_.acquire(); });
    eventfd_write(endpoint_->member->keeper_fd(), 1);
    endpoint_->sink.wait_for_wakes(1);
    answer("blocked");
    return true;
  }
  // A child that lives on with copies of all descriptors. Its pid is the answer.
  bool fork_child() {
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, 0);
      for (;;) pause();
    }
    answer(std::to_string(child));
    return true;
  }
  bool exit_now(std::istringstream& words) {
    int code = 0;
    words >> code;
    _exit(code);
  }

  // Attaches without a Member, up to a step of the
  // protocol; the answer is the id it has got by then.
  bool raw(std::istringstream& words) {
    int until = 0;
    bool is_connecting = false;
    words >> until >> is_connecting;
    raw_ = std::make_unique<RawEndpoint>(path_, static_cast<RawStep>(until));
    if (is_connecting) {
      ControlMessage request(MessageKind::kConnect);
      request.endpoint_id = kAgentId;
      const UniqueFd proposal = make_channel();
      const int channel = proposal.get();
      EXPECT_TRUE(send_message(raw_->socket.get(), request, {&channel, 1}).is_ok());
    }
    answer(std::to_string(raw_->id));
    return true;
  }

  const std::string path_;
  std::binary_semaphore never_{0};
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<TestEndpoint> endpoint_;
  std::unique_ptr<RawEndpoint> raw_;
};

// For the main function of every program that starts helper
// processes: -1 if this is not one of them.
inline int run_as_helper(int argument_count, char** arguments) {
  if (argument_count < 3 || std::strcmp(arguments[1], kHelperFlag) != 0) return -1;
  return HelperMain(arguments[2]).run();
}

}  // namespace thornback::node::testing
