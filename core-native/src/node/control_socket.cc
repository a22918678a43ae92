#include "node/control_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>

#include "base/clock.h"

namespace thornback::node {
namespace {

struct SocketAddress {
  sockaddr_un address{};
  socklen_t size = 0;
  UniqueFd folder;  // keeps the short path valid
};

Status set_path(SocketAddress& address, const std::string& path) {
  if (path.empty() || path.size() >= sizeof(address.address.sun_path)) {
    return Status(TBK_INVALID, "the socket path \"" + path + "\" is empty or, with " +
                                   std::to_string(path.size()) + " bytes, longer than the " +
                                   std::to_string(sizeof(address.address.sun_path) - 1) +
                                   " bytes a socket address holds");
  }
  address.address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.address.sun_path);
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return Status::ok();
}

// A long path is shortened to its name below an open descriptor of its folder.
Result<SocketAddress> address_of(const std::string& path) {
  SocketAddress address;
  const size_t slash = path.rfind('/');
  if (path.size() < sizeof(address.address.sun_path) || slash == std::string::npos) {
    TBK_RETURN_IF_ERROR(set_path(address, path));
    return address;
  }
  const std::string folder = path.substr(0, slash + 1);
  address.folder.reset(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!address.folder.is_valid()) return Status::io("opening the socket's folder " + folder);
  const std::string fd_text = std::to_string(address.folder.get());
  TBK_RETURN_IF_ERROR(set_path(address, "/proc/self/fd/" + fd_text + path.substr(slash)));
  return address;
}

const sockaddr* generic(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.address);
}

UniqueFd make_socket(int flags) {
  return UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
}

// A socket file whose process was killed refuses
// connections; one that is in use must not be taken over.
bool is_abandoned(const SocketAddress& address) {
  UniqueFd probe = make_socket(SOCK_NONBLOCK);
  if (!probe.is_valid()) return false;
  return connect(probe.get(), generic(address), address.size) != 0 && errno == ECONNREFUSED;
}

Status wait_for(int socket, short events, uint64_t deadline_ns) {
  for (;;) {
    const uint64_t now = now_ns();
    if (now >= deadline_ns) return Status(TBK_TIMEOUT, "the node did not answer in time");
    pollfd item{socket, events, 0};
    const auto timeout_ms =
        static_cast<int>(std::min<uint64_t>((deadline_ns - now) / 1'000'000 + 1, 60'000));
    const int ready = poll(&item, 1, timeout_ms);
    if (ready > 0) return Status::ok();
    if (ready < 0 && errno != EINTR) return Status::io("poll of the control socket");
  }
}

union ControlBuffer {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int) * kMessageDescriptorsMax)];
};

void take_descriptors(msghdr& envelope, std::vector<UniqueFd>& descriptors) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&envelope); part != nullptr;
       part = CMSG_NXTHDR(&envelope, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      descriptors.emplace_back(fd);
    }
  }
}

Status check_received(Received& received, size_t size, int flags) {
  const ControlMessage& message = received.message;
  if (size < kVersionPrefixBytes || message.magic != kControlMagic) {
    return Status(TBK_PROTOCOL,
                  "a packet of " + std::to_string(size) + " bytes that is no control message");
  }
  const std::string version = text_of(message.build_version);
  if (message.abi_version != TBK_ABI_VERSION || version != kBuildVersion) {
    return Status(TBK_VERSION_MISMATCH, describe_version(version, message.abi_version));
  }
  const int expected = descriptors_of(message.kind);
  if (size != sizeof(ControlMessage) || (flags & MSG_TRUNC) != 0 || expected < 0) {
    return Status(TBK_PROTOCOL, "a control message of kind " +
                                    std::to_string(static_cast<uint32_t>(message.kind)) + " with " +
                                    std::to_string(size) + " bytes");
  }
  const auto count = static_cast<int>(received.descriptors.size());
  if (count < expected && (flags & MSG_CTRUNC) != 0) {
    received.has_lost_descriptors = true;
    return Status::ok();
  }
  if (count != expected || (flags & MSG_CTRUNC) != 0) {
    return Status(TBK_PROTOCOL, "a control message of kind " +
                                    std::to_string(static_cast<uint32_t>(message.kind)) + " with " +
                                    std::to_string(count) + " descriptors");
  }
  return Status::ok();
}

}  // namespace

std::string describe_version(const std::string& build_version, uint32_t abi_version) {
  return "Thornback " + build_version + " (ABI " + std::to_string(abi_version) + ")";
}

Result<UniqueFd> listen_at(const std::string& path) {
  Result<SocketAddress> address = address_of(path);
  if (!address.is_ok()) return address.status();
  UniqueFd socket = make_socket(SOCK_NONBLOCK);
  if (!socket.is_valid()) return Status::io("socket");
  // The file's mode comes from the socket's inode: nobody else can connect, not even for a moment.
  if (fchmod(socket.get(), 0600) != 0) return Status::io("fchmod of the control socket");
  int bound = bind(socket.get(), generic(address.value()), address.value().size);
  if (bound != 0 && errno == EADDRINUSE && is_abandoned(address.value())) {
    unlink(address.value().address.sun_path);
    bound = bind(socket.get(), generic(address.value()), address.value().size);
  }
  if (bound != 0) return Status::io("binding the control socket " + path);
  if (listen(socket.get(), SOMAXCONN) != 0) return Status::io("listening at " + path);
  return socket;
}

Result<UniqueFd> connect_to(const std::string& path, uint64_t deadline_ns) {
  Result<SocketAddress> address = address_of(path);
  if (!address.is_ok()) return address.status();
  UniqueFd socket = make_socket(0);
  if (!socket.is_valid()) return Status::io("socket");
  // The limit of connect() for a hub whose backlog is full.
  const uint64_t now = now_ns();
  const uint64_t left_us = deadline_ns > now ? (deadline_ns - now) / 1000 : 1;
  const timeval limit{static_cast<time_t>(left_us / 1'000'000),
                      static_cast<suseconds_t>(left_us % 1'000'000)};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  while (connect(socket.get(), generic(address.value()), address.value().size) != 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN)
      return Status(TBK_TIMEOUT, "the node at " + path + " does not accept connections");
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) {
      return Status(TBK_NOT_FOUND, "no node listens at " + path);
    }
    return Status::io("connecting to the node at " + path);
  }
  return socket;
}

Status send_message(int socket, const ControlMessage& message, std::span<const int> descriptors) {
  iovec part{const_cast<ControlMessage*>(&message), sizeof(message)};
  msghdr envelope{};
  envelope.msg_iov = &part;
  envelope.msg_iovlen = 1;
  ControlBuffer control{};
  if (!descriptors.empty()) {
    envelope.msg_control = control.bytes;
    envelope.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&envelope);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  while (sendmsg(socket, &envelope, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    // ETOOMANYREFS: too many descriptors of this user are
    // under way; that passes like a full socket.
    if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)
      return Status(TBK_WOULD_BLOCK, "");
    if (errno == EPIPE || errno == ECONNRESET)
      return Status(TBK_CLOSED, "the control socket is closed");
    return Status::io("sending a control message");
  }
  return Status::ok();
}

Status send_message_until(int socket, const ControlMessage& message,
                          std::span<const int> descriptors, uint64_t deadline_ns) {
  for (;;) {
    Status status = send_message(socket, message, descriptors);
    if (status.code() != TBK_WOULD_BLOCK) return status;
    TBK_RETURN_IF_ERROR(wait_for(socket, POLLOUT, deadline_ns));
  }
}

Result<Received> receive_message(int socket) {
  Received received;
  iovec part{&received.message, sizeof(received.message)};
  ControlBuffer control{};
  msghdr envelope{};
  envelope.msg_iov = &part;
  envelope.msg_iovlen = 1;
  envelope.msg_control = control.bytes;
  envelope.msg_controllen = sizeof(control.bytes);
  // A peer that closes with unread messages resets the connection. The kernel reports that once,
  // and before what the peer has sent: a farewell is still there to be read.
  ssize_t size = -1;
  for (int resets = 0; size < 0;) {
    size = recvmsg(socket, &envelope, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size >= 0 || errno == EINTR) continue;
    if (errno == EAGAIN) return Status(TBK_WOULD_BLOCK, "");
    if (errno != ECONNRESET) return Status::io("receiving a control message");
    if (++resets > 1) break;
  }
  if (size <= 0) return Status(TBK_CLOSED, "the control socket is closed");
  // Whatever came is owned at once, so that garbage leaks no descriptors.
  take_descriptors(envelope, received.descriptors);
  TBK_RETURN_IF_ERROR(check_received(received, static_cast<size_t>(size), envelope.msg_flags));
  return received;
}

Result<Received> receive_message_until(int socket, uint64_t deadline_ns) {
  for (;;) {
    Result<Received> received = receive_message(socket);
    if (received.is_ok() || received.status().code() != TBK_WOULD_BLOCK) return received;
    TBK_RETURN_IF_ERROR(wait_for(socket, POLLIN, deadline_ns));
  }
}

}  // namespace thornback::node
