#include "node/hub.h"

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <thread>

#include "node/control_socket.h"
#include "node/hub_loop.h"
#include "node/quiet_thread.h"
#include "shm/memory_file.h"
#include "shm/node_board.h"

namespace thornback::node {
namespace {

// The socket's mode keeps others out as well, but only where the file system honours it.
Status check_folder(const std::string& socket_path) {
  const size_t slash = socket_path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : socket_path.substr(0, slash + 1);
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0)
    return Status::io("the folder of the control socket, " + folder);
  if (info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
    return Status(TBK_INVALID,
                  "the folder of the control socket, " + folder +
                      ", must belong to this user and be closed to others (mode 0700)");
  }
  return Status::ok();
}

// Those that this process may use, which in a container are fewer than the machine has.
uint32_t usable_cpu_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<uint32_t>(CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

class Hub::Impl {
 public:
  ~Impl() {
    if (thread_.joinable()) {
      loop_->stop();
      thread_.join();
    }
    remove_socket_file();
  }

  Status start(const HubOptions& options) {
    if (options.store_bytes_max == 0 || options.arena_bytes_max == 0) {
      return Status(TBK_INVALID, "store_bytes_max and arena_bytes_max of the node must not be 0");
    }
    TBK_RETURN_IF_ERROR(check_folder(options.socket_path));
    const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    const uint64_t board_bytes = (shm::kNodeBoardBytes + page - 1) / page * page;
    Result<UniqueFd> board = shm::create_memory_file("thornback-board", board_bytes);
    if (!board.is_ok()) return board.status();
    board_ = board.take();
    auto mapping = shm::Mapping::map(board_.get(), 0, board_bytes, shm::Access::kReadWrite);
    if (!mapping.is_ok()) return mapping.status();
    board_mapping_ = mapping.take();
    auto* view =
        shm::NodeBoard::create(board_mapping_.data(), usable_cpu_count(), options.store_bytes_max);

    Result<UniqueFd> listener = listen_at(options.socket_path);
    if (!listener.is_ok()) return listener.status();
    socket_path_ = options.socket_path;
    if (stat(socket_path_.c_str(), &socket_file_) != 0)
      return Status::io("stat of the control socket");
    loop_ = std::make_unique<HubLoop>(HubLimits{options.store_bytes_max, options.arena_bytes_max},
                                      board_.get(), *view, listener.take());
    TBK_RETURN_IF_ERROR(loop_->prepare());
    thread_ = start_quiet_thread("tbk-hub", [this] { loop_->run(); });
    if (!thread_.joinable())
      return Status(TBK_NO_MEMORY, "the system refuses a thread for the node");
    return Status::ok();
  }

  const HubLoop& loop() const { return *loop_; }

 private:
  // Only the file that this hub made: another may have taken its place.
  void remove_socket_file() {
    struct stat now {};
    if (socket_path_.empty() || stat(socket_path_.c_str(), &now) != 0) return;
    if (now.st_ino == socket_file_.st_ino && now.st_dev == socket_file_.st_dev)
      unlink(socket_path_.c_str());
  }

  std::string socket_path_;
  struct stat socket_file_ {};
  UniqueFd board_;
  shm::Mapping board_mapping_;
  std::unique_ptr<HubLoop> loop_;
  std::thread thread_;
};

Hub::Hub(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hub::~Hub() = default;

Result<std::unique_ptr<Hub>> Hub::start(const HubOptions& options) {
  auto impl = std::make_unique<Impl>();
  TBK_RETURN_IF_ERROR(impl->start(options));
  return std::unique_ptr<Hub>(new Hub(std::move(impl)));
}

uint32_t Hub::endpoints_alive() const {
  return impl_->loop().clients().alive_count();
}
uint32_t Hub::endpoints_held() const {
  return impl_->loop().clients().held_count();
}

}  // namespace thornback::node
