#include "node/member.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <optional>

#include "base/check.h"
#include "base/clock.h"
#include "node/control_socket.h"
#include "node/keeper.h"
#include "node/pending_requests.h"
#include "shm/endpoint_record.h"
#include "shm/memory_file.h"
#include "shm/node_board.h"

namespace thornback::node {
namespace {

constexpr uint64_t kJoinLimitNs = 10'000'000'000;
constexpr uint64_t kRequestLimitNs = 5'000'000'000;

// The node's answer during attaching, or the refusal it contains.
Result<Received> expect(int socket, MessageKind kind, uint64_t deadline_ns) {
  Result<Received> received = receive_message_until(socket, deadline_ns);
  if (!received.is_ok()) {
    const Status& status = received.status();
    if (status.code() == TBK_CLOSED) return Status(TBK_CLOSED, "the node closed the connection");
    if (status.code() != TBK_VERSION_MISMATCH) return status;
    return Status(TBK_VERSION_MISMATCH, "this process runs " +
                                            describe_version(kBuildVersion, TBK_ABI_VERSION) +
                                            ", the node runs " + status.text());
  }
  const ControlMessage& message = received.value().message;
  if (received.value().has_lost_descriptors) {
    return Status(TBK_NO_MEMORY, std::string("this process is ") + kOutOfDescriptors);
  }
  if (message.kind == kind) return received;
  if (message.kind == MessageKind::kRefused) {
    return Status(static_cast<tbk_status_t>(message.status), text_of(message.text));
  }
  if (message.kind == MessageKind::kShutdown) return Status(TBK_CLOSED, text_of(message.text));
  return Status(TBK_PROTOCOL, "the node answered with a message of kind " +
                                  std::to_string(static_cast<uint32_t>(message.kind)));
}

}  // namespace

class Member::Impl {
 public:
  ~Impl() {
    TBK_CHECK(!keeper_.has_value() || !keeper_->is_current_thread());
    if (socket_.is_valid()) {
      // Before the keeper lets go of the liveness word.
      // Best effort: the end of the socket says it, too.
      (void)send_message(socket_.get(), ControlMessage(MessageKind::kDetach), {}).is_ok();
    }
    if (keeper_.has_value()) keeper_->stop_and_join();
  }

  Status join(const MemberOptions& options) {
    if (options.language.size() >= sizeof(ControlMessage::language) ||
        options.token.size() >= sizeof(ControlMessage::token)) {
      return Status(TBK_INVALID, "the language is limited to 15 bytes, the token to 127");
    }
    poll_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    keeper_fd_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!poll_.is_valid() || !keeper_fd_.is_valid()) return Status::io("eventfd");
    const uint64_t deadline = now_ns() + kJoinLimitNs;
    Result<UniqueFd> socket = connect_to(options.socket_path, deadline);
    if (!socket.is_ok()) return socket.status();
    socket_ = socket.take();
    ControlMessage hello(MessageKind::kHello);
    hello.role = options.role;
    set_text(hello.language, options.language);
    set_text(hello.token, options.token);
    // A node that refuses at once has closed its end already; the refusal is there to be read.
    Status sent = send_message_until(socket_.get(), hello, {}, deadline);
    if (!sent.is_ok() && sent.code() != TBK_CLOSED) return sent;
    Result<Received> welcome = expect(socket_.get(), MessageKind::kWelcome, deadline);
    if (!welcome.is_ok()) return welcome.status();
    return accept(welcome.take());
  }

  Status publish(shm::EndpointRecord& record, int record_fd, int arena_fd) {
    if (record_ != nullptr)
      return Status(TBK_INVALID, "the endpoint has published its record already");
    const uint64_t deadline = now_ns() + kRequestLimitNs;
    const std::array<int, 4> descriptors{record_fd, arena_fd, poll_.get(), keeper_fd_.get()};
    Status sent = send_message_until(socket_.get(), ControlMessage(MessageKind::kPublish),
                                     descriptors, deadline);
    if (!sent.is_ok() && sent.code() != TBK_CLOSED) return sent;
    Result<Received> answer = expect(socket_.get(), MessageKind::kPublished, deadline);
    if (!answer.is_ok()) return answer.status();
    record_ = &record;
    return Status::ok();
  }

  Status start(NoticeSink& sink) {
    if (record_ == nullptr || keeper_.has_value())
      return Status(TBK_INVALID, "start() comes once, after publish()");
    keeper_.emplace(socket_.get(), keeper_fd_.get(), record_->liveness, sink, requests_);
    Status status = keeper_->start();
    if (!status.is_ok()) keeper_.reset();
    return status;
  }

  Result<ConnectionFds> connect(uint32_t endpoint_id, UniqueFd channel) {
    const int descriptor = channel.get();
    Result<Received> answer = ask(MessageKind::kConnect, endpoint_id, {&descriptor, 1});
    if (!answer.is_ok()) return answer.status();
    auto& fds = answer.value().descriptors;
    if (fds.size() != 5)
      return Status(TBK_PROTOCOL, "the node answered a connect with something else");
    if (!fds[4].is_valid())
      return Status(TBK_NO_MEMORY, "this process was out of descriptors when its peer connected");
    ConnectionFds connection;
    connection.peer.endpoint_id = endpoint_id;
    connection.peer.record = std::move(fds[0]);
    connection.peer.arena = std::move(fds[1]);
    connection.peer.poll = std::move(fds[2]);
    connection.peer.keeper = std::move(fds[3]);
    connection.channel = std::move(fds[4]);
    connection.side = answer.value().message.side;
    return connection;
  }

  Result<UniqueFd> open_arena(uint32_t endpoint_id) {
    Result<Received> answer = ask(MessageKind::kOpenArena, endpoint_id, {});
    if (!answer.is_ok()) return answer.status();
    auto& fds = answer.value().descriptors;
    if (fds.size() != 1)
      return Status(TBK_PROTOCOL, "the node answered the opening of an arena with something else");
    return std::move(fds[0]);
  }

  void set_alarm(uint64_t time_ns) { keeper_->set_alarm(time_ns); }

  void arena_unmapped(uint32_t endpoint_id) {
    ControlMessage message(MessageKind::kArenaUnmapped);
    message.endpoint_id = endpoint_id;
    // A node that is gone keeps no accounts.
    (void)send_message_until(socket_.get(), message, {}, now_ns() + kRequestLimitNs).is_ok();
  }

  // A forked child has copies of the descriptors and nothing else: the membership is its parent's,
  // the keeper and the mappings do not exist, and a lock may be held for ever.
  bool is_inherited() const { return getpid() != owner_pid_; }
  void close_descriptors() {
    socket_.reset();
    poll_.reset();
    keeper_fd_.reset();
  }

  uint32_t endpoint_id() const { return endpoint_id_; }
  shm::NodeBoard& board() { return *board_; }
  uint64_t store_bytes_max() const { return store_bytes_max_; }
  uint64_t arena_bytes_max() const { return arena_bytes_max_; }
  int poll_fd() const { return poll_.get(); }
  int keeper_fd() const { return keeper_fd_.get(); }

 private:
  Status accept(Received welcome) {
    auto mapping = shm::Mapping::map(welcome.descriptors[0].get(), 0, shm::kNodeBoardBytes,
                                     shm::Access::kReadWrite);
    if (!mapping.is_ok()) return mapping.status();
    board_mapping_ = mapping.take();
    board_ = shm::NodeBoard::open(board_mapping_.data());
    if (board_ == nullptr) return Status(TBK_PROTOCOL, "the node's board is not one");
    endpoint_id_ = welcome.message.endpoint_id;
    store_bytes_max_ = welcome.message.store_bytes_max;
    arena_bytes_max_ = welcome.message.arena_bytes_max;
    return Status::ok();
  }

  Result<Received> ask(MessageKind kind, uint32_t endpoint_id, std::span<const int> descriptors) {
    if (!keeper_.has_value() || keeper_->is_current_thread()) {
      return Status(TBK_INVALID,
                    "requests to the node need a started keeper and come from other threads");
    }
    const uint64_t deadline = now_ns() + kRequestLimitNs;
    ControlMessage message(kind);
    message.request = requests_.begin();
    message.endpoint_id = endpoint_id;
    const Status sent = send_message_until(socket_.get(), message, descriptors, deadline);
    Result<Received> answer = requests_.wait(message.request, sent.is_ok() ? deadline : 0);
    if (!answer.is_ok()) return sent.is_ok() ? answer.status() : sent;
    if (answer.value().message.kind == MessageKind::kFailed) {
      const ControlMessage& failure = answer.value().message;
      return Status(static_cast<tbk_status_t>(failure.status), text_of(failure.text));
    }
    return answer;
  }

  const pid_t owner_pid_ = getpid();
  UniqueFd socket_;
  UniqueFd poll_;
  UniqueFd keeper_fd_;
  shm::Mapping board_mapping_;
  shm::NodeBoard* board_ = nullptr;
  shm::EndpointRecord* record_ = nullptr;
  uint32_t endpoint_id_ = 0;
  uint64_t store_bytes_max_ = 0;
  uint64_t arena_bytes_max_ = 0;
  PendingRequests requests_;
  std::optional<Keeper> keeper_;
};

Member::Member(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Member::~Member() {
  if (!impl_->is_inherited()) return;
  impl_->close_descriptors();
  (void)impl_.release();  // its parts cannot be destroyed here
}

Result<std::unique_ptr<Member>> Member::join(const MemberOptions& options) {
  auto impl = std::make_unique<Impl>();
  TBK_RETURN_IF_ERROR(impl->join(options));
  return std::unique_ptr<Member>(new Member(std::move(impl)));
}

Status Member::publish(shm::EndpointRecord& record, int record_fd, int arena_fd) {
  return impl_->publish(record, record_fd, arena_fd);
}
Status Member::start(NoticeSink& sink) {
  return impl_->start(sink);
}
uint32_t Member::endpoint_id() const {
  return impl_->endpoint_id();
}
shm::NodeBoard& Member::board() {
  return impl_->board();
}
uint64_t Member::store_bytes_max() const {
  return impl_->store_bytes_max();
}
uint64_t Member::arena_bytes_max() const {
  return impl_->arena_bytes_max();
}
int Member::poll_fd() const {
  return impl_->poll_fd();
}
int Member::keeper_fd() const {
  return impl_->keeper_fd();
}
Result<ConnectionFds> Member::connect(uint32_t endpoint_id, UniqueFd channel) {
  return impl_->connect(endpoint_id, std::move(channel));
}
Result<UniqueFd> Member::open_arena(uint32_t endpoint_id) {
  return impl_->open_arena(endpoint_id);
}
void Member::arena_unmapped(uint32_t endpoint_id) {
  impl_->arena_unmapped(endpoint_id);
}

void Member::set_alarm(uint64_t time_ns) {
  impl_->set_alarm(time_ns);
}

}  // namespace thornback::node
