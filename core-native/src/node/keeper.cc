#include "node/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <string>

#include "base/clock.h"
#include "node/quiet_thread.h"

namespace thornback::node {
namespace {

constexpr uint64_t kArmedLimitNs = 5'000'000'000;
// Between two looks at the bell.
constexpr int kMessagesPerTurn = 64;

ConnectionFds connection_of(Received& received) {
  auto& fds = received.descriptors;
  ConnectionFds connection;
  connection.peer.endpoint_id = received.message.endpoint_id;
  connection.peer.record = std::move(fds[0]);
  connection.peer.arena = std::move(fds[1]);
  connection.peer.poll = std::move(fds[2]);
  connection.peer.keeper = std::move(fds[3]);
  connection.channel = std::move(fds[4]);
  connection.side = received.message.side;
  return connection;
}

PeerInfo info_of(const ControlMessage& message) {
  PeerInfo info;
  info.endpoint_id = message.endpoint_id;
  info.role = message.role;
  info.pid = static_cast<int32_t>(message.number);
  info.language = text_of(message.language);
  info.token = text_of(message.token);
  return info;
}

}  // namespace

Keeper::Keeper(int socket, int keeper_fd, shm::LivenessWord& word, NoticeSink& sink,
               PendingRequests& requests)
    : socket_(socket),
      keeper_fd_(keeper_fd),
      alarm_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      word_(word),
      sink_(sink),
      requests_(requests) {}

Status Keeper::start() {
  thread_ = start_quiet_thread("tbk-keeper", [this] { run(); });
  if (!thread_.joinable())
    return Status(TBK_NO_MEMORY, "the system refuses a thread for the endpoint's keeper");
  armed_.wait(Armed::kNotYet, std::memory_order_acquire);
  if (armed_.load(std::memory_order_acquire) == Armed::kYes) return Status::ok();
  thread_.join();
  return arm_status_;
}

void Keeper::stop_and_join() {
  if (!thread_.joinable()) return;
  is_stopping_.store(true, std::memory_order_release);
  eventfd_write(keeper_fd_, 1);
  thread_.join();
}

void Keeper::run() {
  const bool is_armed = arm();
  armed_.store(is_armed ? Armed::kYes : Armed::kFailed, std::memory_order_release);
  armed_.notify_all();
  if (is_armed) serve();
  liveness_.disarm();
}

bool Keeper::arm() {
  Result<uint32_t> armed_value = liveness_.arm(word_);
  if (!armed_value.is_ok()) {
    arm_status_ = armed_value.status();
    return false;
  }
  ControlMessage message(MessageKind::kArmed);
  message.number = armed_value.value();
  arm_status_ = send_message_until(socket_, message, {}, now_ns() + kArmedLimitNs);
  // A node that has gone meanwhile is reported by the notice that says so.
  return arm_status_.is_ok() || arm_status_.code() == TBK_CLOSED;
}

void Keeper::serve() {
  while (!is_stopping_.load(std::memory_order_acquire)) {
    pollfd items[3] = {
        {keeper_fd_, POLLIN, 0}, {has_node_ ? socket_ : -1, POLLIN, 0}, {alarm_.get(), POLLIN, 0}};
    if (poll(items, 3, -1) < 0) continue;
    if (items[0].revents != 0) on_bell();
    if (items[1].revents != 0) read_socket();
    if (items[2].revents != 0) on_alarm();
  }
}

void Keeper::on_bell() {
  eventfd_t count = 0;
  if (eventfd_read(keeper_fd_, &count) != 0) return;
  if (!is_stopping_.load(std::memory_order_acquire)) sink_.on_keeper_wake();
}

void Keeper::on_alarm() {
  uint64_t expirations = 0;
  if (read(alarm_.get(), &expirations, sizeof expirations) < 0) return;
  if (!is_stopping_.load(std::memory_order_acquire)) sink_.on_alarm();
}

void Keeper::set_alarm(uint64_t time_ns) {
  itimerspec time{};
  time.it_value.tv_sec = static_cast<time_t>(time_ns / 1'000'000'000);
  time.it_value.tv_nsec = static_cast<long>(time_ns % 1'000'000'000);
  timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &time, nullptr);
}

void Keeper::read_socket() {
  for (int i = 0; i < kMessagesPerTurn && has_node_; ++i) {
    Result<Received> received = receive_message(socket_);
    if (received.is_ok()) {
      handle(received.take());
      continue;
    }
    const Status& status = received.status();
    if (status.code() == TBK_WOULD_BLOCK) return;
    if (status.code() == TBK_CLOSED) {
      lose_node(TBK_CLOSED, "the node's process is gone");
    } else {
      // Nonsense was read: what follows cannot be relied on.
      lose_node(status.code(), "the connection to the node failed: " + status.text());
    }
  }
}

void Keeper::handle(Received received) {
  const ControlMessage& message = received.message;
  if (received.has_lost_descriptors) {
    on_lost_descriptors(message);
    return;
  }
  switch (message.kind) {
    case MessageKind::kConnection:
    case MessageKind::kExisting: answer_connection(std::move(received)); return;
    case MessageKind::kArena:
    case MessageKind::kFailed: {
      const uint32_t request = message.request;
      requests_.complete(request, std::move(received));
      return;
    }
    case MessageKind::kConnected:
      retain_channel(message.endpoint_id, received.descriptors[4].get());
      sink_.on_connected(connection_of(received));
      return;
    case MessageKind::kPeerJoined: sink_.on_peer_joined(info_of(message)); return;
    case MessageKind::kPeerDead:
      channels_.erase(message.endpoint_id);
      sink_.on_peer_dead(message.endpoint_id, text_of(message.text));
      return;
    case MessageKind::kShutdown: lose_node(TBK_CLOSED, text_of(message.text)); return;
    default:
      lose_node(TBK_PROTOCOL, "the node sent a message that it does not send at this point");
      return;
  }
}

void Keeper::on_lost_descriptors(const ControlMessage& message) {
  const std::string text = std::string("this process is ") + kOutOfDescriptors;
  if (message.kind == MessageKind::kConnection || message.kind == MessageKind::kConnected) {
    // The peer believes in a connection that cannot be: it would wait for ever for what it sends.
    lose_node(TBK_NO_MEMORY, text);
    return;
  }
  Received failure;
  failure.message = ControlMessage(MessageKind::kFailed);
  failure.message.status = TBK_NO_MEMORY;
  set_text(failure.message.text, text);
  requests_.complete(message.request, std::move(failure));
}

void Keeper::answer_connection(Received received) {
  const uint32_t request = received.message.request;
  const uint32_t endpoint_id = received.message.endpoint_id;
  if (received.message.kind == MessageKind::kConnection) {
    retain_channel(endpoint_id, received.descriptors[4].get());
  } else {
    // The hub keeps no channels; the first one passed through this thread before.
    const auto known = channels_.find(endpoint_id);
    const int copy = known == channels_.end() ? -1 : fcntl(known->second.get(), F_DUPFD_CLOEXEC, 0);
    received.descriptors.emplace_back(copy);
  }
  requests_.complete(request, std::move(received));
}

void Keeper::retain_channel(uint32_t endpoint_id, int channel) {
  channels_[endpoint_id] = UniqueFd(fcntl(channel, F_DUPFD_CLOEXEC, 0));
}

void Keeper::lose_node(tbk_status_t code, const std::string& cause) {
  if (!has_node_) return;
  has_node_ = false;
  requests_.fail_all(Status(code, cause));
  sink_.on_node_gone(cause);
}

}  // namespace thornback::node
