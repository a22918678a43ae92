#include "node/hub_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string>

#include "node/control_socket.h"

namespace thornback::node {
namespace {

// Event tags: a client's serial number and which of its descriptors; serial 0 is the loop itself.
enum : uint64_t { kSocketTag = 0, kProcessTag = 1, kListenerTag = 2, kBellTag = 3 };
constexpr uint64_t tag_of(uint64_t serial, uint64_t what) {
  return serial << 2 | what;
}

// Clients beyond this have not even said hello, or are dead and held: more than that is a fault.
constexpr size_t kClientsMax = size_t{shm::kEndpointsMax} * 2;
// One client must not keep the others waiting.
constexpr int kMessagesPerTurn = 32;

void refuse_socket(int socket, tbk_status_t code, const std::string& text) {
  ControlMessage answer(MessageKind::kRefused);
  answer.status = code;
  set_text(answer.text, text);
  (void)send_message(socket, answer, {}).is_ok();
}

}  // namespace

HubLoop::HubLoop(HubLimits limits, int board_fd, shm::NodeBoard& board, UniqueFd listener)
    : listener_(std::move(listener)),
      clients_(board),
      watcher_([this](uint64_t serial) {
        {
          const std::lock_guard lock(reports_mutex_);
          reports_.push_back(serial);
        }
        eventfd_write(bell_.get(), 1);
      }),
      deaths_(clients_, watcher_),
      requests_(limits, board_fd, clients_, watcher_, deaths_) {}

HubLoop::~HubLoop() = default;

Status HubLoop::watch(int fd, uint64_t tag, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return Status::io("epoll_ctl of the node");
  return Status::ok();
}

Status HubLoop::prepare() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  bell_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!epoll_.is_valid() || !bell_.is_valid() || !spare_.is_valid())
    return Status::io("opening the node's descriptors");
  TBK_RETURN_IF_ERROR(watch(bell_.get(), tag_of(0, kBellTag), EPOLLIN));
  return watch(listener_.get(), tag_of(0, kListenerTag), EPOLLIN);
}

void HubLoop::stop() {
  is_stopping_.store(true, std::memory_order_release);
  eventfd_write(bell_.get(), 1);
}

void HubLoop::run() {
  std::array<epoll_event, 64> events{};
  while (!is_stopping_.load(std::memory_order_acquire)) {
    // Nothing is polled, except while a cause of death is looked for or descriptors are short.
    const bool is_busy = deaths_.has_unresolved() || stalled_links_ != 0;
    const int timeout_ms = is_busy ? 1 : is_listening_ ? -1 : 10;
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      dispatch(event.data.u64, event.events);
    }
    deaths_.resolve();
    retry_stalled();
    if (count == 0 && !is_listening_) listen_for_clients(true);
    clients_.sweep();
  }
  say_farewell();
}

void HubLoop::retry_stalled() {
  if (stalled_links_ == 0) return;
  clients_.for_each([](HubClient& client) {
    if (client.link.is_stalled()) client.link.flush();
  });
}

void HubLoop::dispatch(uint64_t tag, uint32_t events) {
  const uint64_t serial = tag >> 2;
  if (serial == 0) {
    if ((tag & 3) == kListenerTag) accept_clients();
    if ((tag & 3) == kBellTag) take_death_reports();
    return;
  }
  // An event of a client that an earlier event of the same batch has ended finds it closed or gone.
  HubClient* client = clients_.by_serial(serial);
  if (client == nullptr) return;
  if ((tag & 3) == kProcessTag) deaths_.on_process_gone(*client);
  if ((tag & 3) == kSocketTag && client->link.socket() >= 0) on_socket(*client, events);
}

void HubLoop::accept_clients() {
  if (!spare_.is_valid()) spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (;;) {
    UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.is_valid()) {
      add_client(std::move(socket));
    } else if (errno == EMFILE || errno == ENFILE) {
      reject_without_descriptors();
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

// Without this the pending connection would make epoll return at once for ever.
void HubLoop::reject_without_descriptors() {
  spare_.reset();
  const UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.is_valid()) {
    refuse_socket(socket.get(), TBK_NO_MEMORY, std::string("the node is ") + kOutOfDescriptors);
  } else {
    // Others took the place of the spare: whoever waits has to wait some more.
    listen_for_clients(false);
  }
}

void HubLoop::listen_for_clients(bool is_wanted) {
  epoll_event event{};
  event.events = is_wanted ? EPOLLIN : 0u;
  event.data.u64 = tag_of(0, kListenerTag);
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), &event);
  is_listening_ = is_wanted;
}

void HubLoop::add_client(UniqueFd socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return;
  if (credentials.uid != geteuid()) {
    refuse_socket(socket.get(), TBK_INVALID, "the session belongs to another user");
    return;
  }
  if (clients_.size() >= kClientsMax) {
    refuse_socket(socket.get(), TBK_CLOSED, "the node is full");
    return;
  }
  // A client that is gone already may have passed its number on to another process; then its socket
  // is closed, too, and this is noticed at the first read.
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, credentials.pid, 0)));
  if (!process.is_valid()) {
    if (errno == EMFILE || errno == ENFILE) {
      refuse_socket(socket.get(), TBK_NO_MEMORY, std::string("the node is ") + kOutOfDescriptors);
    } else {
      refuse_socket(socket.get(), TBK_IO,
                    "the node cannot watch this process (is it in another process namespace?)");
    }
    return;
  }
  const uint64_t serial = next_serial_++;
  auto client = std::make_unique<HubClient>(
      serial, std::move(socket), std::move(process),
      LinkLoop{epoll_.get(), tag_of(serial, kSocketTag), stalled_links_});
  client->info.pid = credentials.pid;
  // One shot: it stays readable once the process has ended.
  if (!client->link.is_open() ||
      !watch(client->pid_fd.get(), tag_of(serial, kProcessTag), EPOLLIN | EPOLLONESHOT).is_ok()) {
    return;
  }
  clients_.add(std::move(client));
}

void HubLoop::on_socket(HubClient& client, uint32_t events) {
  if ((events & EPOLLOUT) != 0) client.link.flush();
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) receive_from(client);
}

void HubLoop::receive_from(HubClient& client) {
  // A client that was ended by what it sent has a closed socket.
  for (int i = 0; i < kMessagesPerTurn && client.link.socket() >= 0; ++i) {
    Result<Received> received = receive_message(client.link.socket());
    Status status =
        received.is_ok() ? requests_.handle(client, received.take()) : received.status();
    if (status.is_ok()) continue;
    if (status.code() == TBK_WOULD_BLOCK) return;
    if (status.code() == TBK_CLOSED || status.code() == TBK_IO) {
      deaths_.on_socket_closed(client);
    } else if (status.code() == TBK_VERSION_MISMATCH && client.stage == Stage::kConnected) {
      requests_.refuse_version(client, status.text());
    } else {
      deaths_.isolate(client, status.text());
    }
    return;
  }
}

void HubLoop::take_death_reports() {
  eventfd_t count = 0;
  eventfd_read(bell_.get(), &count);
  std::vector<uint64_t> reports;
  {
    const std::lock_guard lock(reports_mutex_);
    reports.swap(reports_);
  }
  for (const uint64_t serial : reports) {
    if (HubClient* client = clients_.by_serial(serial)) deaths_.on_keeper_ended(*client);
  }
}

void HubLoop::say_farewell() {
  ControlMessage farewell(MessageKind::kShutdown);
  set_text(farewell.text, "the node was shut down");
  clients_.for_each([&](HubClient& client) {
    client.link.send(farewell);
    client.link.close();
  });
}

}  // namespace thornback::node
