// The hub's end of one control socket: sends without ever waiting for the endpoint.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "node/control_messages.h"

namespace thornback::node {

// What a link needs of the event loop that it belongs to.
struct LinkLoop {
  int epoll;
  uint64_t tag;             // for the events of its socket
  uint32_t& stalled_links;  // how many links of the loop are stalled
};

// Messages that do not fit into the socket wait in a bounded queue. A link that overflows or fails
// breaks: the socket is shut down, so that the event loop reports its end like any other, and later
// sends are dropped. Used by the hub's thread only.
class ControlLink {
 public:
  // As many as endpoints can die at once.
  static constexpr size_t kQueueMax = 4096;

  // Registers the socket for reading; the link is not open if that fails.
  ControlLink(UniqueFd socket, LinkLoop loop);
  ~ControlLink() { close(); }
  ControlLink(const ControlLink&) = delete;
  ControlLink& operator=(const ControlLink&) = delete;

  void send(const ControlMessage& message, std::span<const int> descriptors = {});
  // To be called when the socket has room again, and from time to time while stalled.
  void flush();
  // Something waits although the socket has room (too many descriptors are under way in the
  // system): no event will announce when it can be sent.
  bool is_stalled() const { return is_stalled_; }
  // Ends the connection; what the socket holds already still arrives.
  void close();

  int socket() const { return socket_.get(); }
  bool is_open() const { return socket_.is_valid() && failure_.empty(); }
  // Why the link broke; empty if it did not.
  const std::string& failure() const { return failure_; }

 private:
  struct Waiting {
    ControlMessage message;
    std::vector<UniqueFd> descriptors;
  };

  void enqueue(const ControlMessage& message, std::span<const int> descriptors);
  void watch_for_room(bool is_wanted);
  void set_stalled(bool is_stalled);
  void fail(std::string why);

  UniqueFd socket_;
  LinkLoop loop_;
  std::deque<Waiting> queue_;
  bool watches_for_room_ = false;
  bool is_stalled_ = false;
  std::string failure_;
};

}  // namespace thornback::node
