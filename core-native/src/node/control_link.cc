#include "node/control_link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "node/control_socket.h"

namespace thornback::node {
namespace {

bool has_room(int socket) {
  pollfd item{socket, POLLOUT, 0};
  return poll(&item, 1, 0) > 0;
}

}  // namespace

ControlLink::ControlLink(UniqueFd socket, LinkLoop loop) : socket_(std::move(socket)), loop_(loop) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = loop_.tag;
  if (epoll_ctl(loop_.epoll, EPOLL_CTL_ADD, socket_.get(), &event) != 0) socket_.reset();
}

void ControlLink::send(const ControlMessage& message, std::span<const int> descriptors) {
  if (!is_open()) return;
  if (!queue_.empty()) {
    enqueue(message, descriptors);
    return;
  }
  const Status status = send_message(socket_.get(), message, descriptors);
  if (status.is_ok()) return;
  if (status.code() != TBK_WOULD_BLOCK) {
    fail("its control socket failed: " + status.text());
    return;
  }
  enqueue(message, descriptors);
  flush();
}

void ControlLink::enqueue(const ControlMessage& message, std::span<const int> descriptors) {
  if (queue_.size() == kQueueMax) {
    fail("it does not read its control socket");
    return;
  }
  Waiting waiting{message, {}};
  for (const int fd : descriptors) {
    // Whose descriptor it is may be gone when the message leaves the queue.
    waiting.descriptors.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!waiting.descriptors.back().is_valid()) {
      fail(std::string("the node is ") + kOutOfDescriptors);
      return;
    }
  }
  queue_.push_back(std::move(waiting));
}

void ControlLink::flush() {
  set_stalled(false);
  while (is_open() && !queue_.empty()) {
    std::vector<int> descriptors;
    for (const UniqueFd& fd : queue_.front().descriptors) descriptors.push_back(fd.get());
    const Status status = send_message(socket_.get(), queue_.front().message, descriptors);
    if (status.code() == TBK_WOULD_BLOCK) {
      set_stalled(has_room(socket_.get()));
      watch_for_room(!is_stalled_);
      return;
    }
    if (!status.is_ok()) {
      fail("its control socket failed: " + status.text());
      return;
    }
    queue_.pop_front();
  }
  if (is_open()) watch_for_room(false);
}

void ControlLink::watch_for_room(bool is_wanted) {
  if (is_wanted == watches_for_room_) return;
  epoll_event event{};
  event.events = EPOLLIN | (is_wanted ? EPOLLOUT : 0u);
  event.data.u64 = loop_.tag;
  epoll_ctl(loop_.epoll, EPOLL_CTL_MOD, socket_.get(), &event);
  watches_for_room_ = is_wanted;
}

void ControlLink::set_stalled(bool is_stalled) {
  if (is_stalled == is_stalled_) return;
  is_stalled_ = is_stalled;
  is_stalled ? ++loop_.stalled_links : --loop_.stalled_links;
}

void ControlLink::fail(std::string why) {
  failure_ = std::move(why);
  queue_.clear();
  set_stalled(false);
  shutdown(socket_.get(), SHUT_RDWR);
}

void ControlLink::close() {
  if (!socket_.is_valid()) return;
  // Explicitly: a child that is between fork and exec may hold
  // a copy, which would keep the socket in the epoll instance.
  epoll_ctl(loop_.epoll, EPOLL_CTL_DEL, socket_.get(), nullptr);
  shutdown(socket_.get(), SHUT_RDWR);
  socket_.reset();
  queue_.clear();
  set_stalled(false);
}

}  // namespace thornback::node
