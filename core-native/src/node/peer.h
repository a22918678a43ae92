// What one endpoint learns about another from the node.
#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.h"

namespace thornback::node {

// The descriptors of a peer: everything that reaching it takes.
struct PeerFds {
  uint32_t endpoint_id = 0;
  UniqueFd record;  // memory file of its EndpointRecord, to be mapped read-write
  UniqueFd arena;   // memory file of its arena, to be mapped read-only
  UniqueFd poll;    // eventfd, non-blocking: wakes its event loop
  UniqueFd keeper;  // eventfd, non-blocking: wakes its keeper
};

struct ConnectionFds {
  PeerFds peer;
  UniqueFd channel;  // memory file of the two rings
  uint32_t side =
      0;  // 0: this endpoint asked and its proposal became the channel, 1: the peer's did
};

struct PeerInfo {
  uint32_t endpoint_id = 0;
  uint32_t role = 0;  // tbk_role_t
  int32_t pid = 0;
  std::string language, token;
};

}  // namespace thornback::node
