// Where the keeper thread reports what happens around its endpoint.
#pragma once

#include <cstdint>
#include <string>

#include "node/peer.h"

namespace thornback::node {

// Every function is called on the keeper thread, one at a time, in the order in which the hub
// decided. Implementations only enqueue and ring: while one runs, deaths go unreported. They must
// not call Member::connect, Member::open_arena or Member's destructor (those wait for the keeper).
class NoticeSink {
 public:
  virtual ~NoticeSink() = default;

  // A peer has connected to this endpoint. A connect() to the same peer that was under way returns
  // the same channel as well: keep one of the two, they are the same files and both are side 1.
  virtual void on_connected(ConnectionFds connection) = 0;
  // A peer is gone to which this endpoint is connected or whose arena it opened (the agent: any
  // peer). The cause reads "killed by signal 9 (SIGKILL)", "exited with code 3", "detached" or the
  // like. Answer with Member::arena_unmapped as soon as nothing of its arena is mapped any more.
  virtual void on_peer_dead(uint32_t endpoint_id, std::string cause) = 0;
  // The agent only: a peer can be reached from now on.
  virtual void on_peer_joined(PeerInfo info) = 0;
  // The last notice: the hub's process is gone, or it ended
  // the session, or it refuses this endpoint.
  virtual void on_node_gone(std::string cause) = 0;
  // The keeper's eventfd fired: a sender found this endpoint away.
  virtual void on_keeper_wake() = 0;
  // The time given to Member::set_alarm has come.
  virtual void on_alarm() = 0;
};

}  // namespace thornback::node
