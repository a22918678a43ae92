// Sending and receiving control messages with descriptors, and the addresses of control sockets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/unique_fd.h"
#include "node/control_messages.h"

namespace thornback::node {

// "Thornback 0.1.0 (ABI 1)".
std::string describe_version(const std::string& build_version, uint32_t abi_version);

struct Received {
  ControlMessage message;
  std::vector<UniqueFd>
      descriptors;  // as many as the message's kind calls for, unless some are lost
  bool has_lost_descriptors = false;  // this process is out of descriptors
};
// What the side that lost descriptors says about it.
inline constexpr char kOutOfDescriptors[] = "out of descriptors (see `ulimit -n`)";

// Listens at `path`, non-blocking, mode 0600. Replaces a socket file that nobody listens on. Paths
// beyond the 107 bytes of a socket address are reached through their folder; a name that is too
// long even then is TBK_INVALID.
Result<UniqueFd> listen_at(const std::string& path);
// A blocking socket connected to `path`. TBK_NOT_FOUND when nobody listens there.
Result<UniqueFd> connect_to(const std::string& path, uint64_t deadline_ns);

// Never blocks: TBK_WOULD_BLOCK when the peer does not keep up, TBK_CLOSED when it is gone.
Status send_message(int socket, const ControlMessage& message, std::span<const int> descriptors);
// Waits for room in the socket until the deadline (TBK_TIMEOUT).
Status send_message_until(int socket, const ControlMessage& message,
                          std::span<const int> descriptors, uint64_t deadline_ns);

// Never blocks. TBK_WOULD_BLOCK when nothing is there, TBK_CLOSED at
// the end, TBK_VERSION_MISMATCH for a message of another version (the
// text describes it), TBK_PROTOCOL for what no correct peer sends.
Result<Received> receive_message(int socket);
// Waits for a message until the deadline (TBK_TIMEOUT).
Result<Received> receive_message_until(int socket, uint64_t deadline_ns);

}  // namespace thornback::node
