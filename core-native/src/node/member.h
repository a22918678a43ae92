// An endpoint's membership in its node: the control socket,
// the keeper thread, and the liveness word.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/unique_fd.h"
#include "node/notice_sink.h"
#include "node/peer.h"

namespace thornback::shm {
struct EndpointRecord;
struct NodeBoard;
}  // namespace thornback::shm

namespace thornback::node {

struct MemberOptions {
  std::string socket_path;
  uint32_t role = 0;     // tbk_role_t
  std::string language;  // at most 15 bytes
  std::string token;     // at most 127 bytes
};

// Attaching takes three steps, because the arena's size is known only when the node has answered:
// join() tells the endpoint its id and the limits, publish() hands over what the caller made from
// them and lets peers reach the endpoint, start() begins the notices. All functions are thread-safe
// after start() unless they say otherwise.
class Member {
 public:
  // Blocks until the node answers, at most 10 s. TBK_VERSION_MISMATCH
  // names both versions; TBK_NOT_FOUND when nobody listens;
  // TBK_CLOSED when the node is full, ending, or has no agent yet.
  static Result<std::unique_ptr<Member>> join(const MemberOptions& options);

  // Hands over the endpoint's record and arena (the descriptors stay the caller's; both files are
  // sealed against shrinking). Once, before start(). The record stays mapped until the Member is
  // destroyed. Blocks until the node has registered them, at most 5 s; connections that peers make
  // from then on wait in the socket.
  Status publish(shm::EndpointRecord& record, int record_fd, int arena_fd);

  // Starts the keeper thread: notices flow from here on, and its death is the endpoint's death.
  // `sink` outlives the Member. Once, after publish().
  Status start(NoticeSink& sink);

  // Detaches cleanly (peers read "detached") and joins the keeper;
  // after it returned the sink is not called any more. Not on the
  // keeper thread. In a forked child it only closes the descriptors.
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  uint32_t endpoint_id() const;
  shm::NodeBoard& board();
  uint64_t store_bytes_max() const;
  uint64_t arena_bytes_max() const;
  int poll_fd() const;    // eventfd, non-blocking: peers write it when the wake word says so
  int keeper_fd() const;  // eventfd, non-blocking; read by the keeper thread only

  // Connects to a peer with a channel proposed by the caller. When the peer has connected to this
  // endpoint before, the result carries the existing channel and side 1, and the proposal is
  // dropped; asking twice for a connection that this endpoint made gives the first channel and side
  // 0 again. Blocks for about 100 us, at most 5 s. TBK_PEER_DEAD; TBK_NOT_FOUND for an id that
  // never was or has not published yet; TBK_CLOSED when the node is gone; TBK_TIMEOUT.
  Result<ConnectionFds> connect(uint32_t endpoint_id, UniqueFd channel);

  // The memory file of an endpoint's arena, also of a dead one as long as any endpoint still holds
  // it. Counts this endpoint among the holders. Blocks and fails like connect().
  Result<UniqueFd> open_arena(uint32_t endpoint_id);

  // Tells the hub that this endpoint holds nothing of the arena any more. Every endpoint that had a
  // connection to a dead peer or opened its arena owes this once, whether or not it ever mapped the
  // arena: the peer's index and its bytes in the store's accounts are free when all have said so.
  void arena_unmapped(uint32_t endpoint_id);

  // One on_alarm() notice at that time (CLOCK_MONOTONIC ns),
  // instead of any asked for before. After start() only.
  void set_alarm(uint64_t time_ns);

 private:
  class Impl;
  explicit Member(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace thornback::node
