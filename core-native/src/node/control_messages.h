// The messages of the control socket, between an endpoint and the hub of its node.
//
// Each is one packet of a SOCK_SEQPACKET socket: one fixed struct, and the descriptors that its
// kind calls for. A few hundred bytes each are no concern: control messages are rare, and one
// layout leaves nothing to parse.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "node/build_version.h"
#include "thornback.h"

namespace thornback::node {

enum class MessageKind : uint32_t {
  // From the endpoint. Requests carry a request id that the answer repeats.
  kHello = 1,      // role, language, token
  kPublish,        // descriptors: record, arena, poll, keeper
  kArmed,          // number = the value the liveness word has while the keeper lives
  kConnect,        // request, endpoint_id; descriptor: the proposed channel
  kOpenArena,      // request, endpoint_id
  kArenaUnmapped,  // endpoint_id
  kDetach,
  // From the hub.
  kWelcome = 33,  // endpoint_id, store_bytes_max, arena_bytes_max; descriptor: the board
  kRefused,       // status, text; the socket closes
  kPublished,     // answers kPublish
  kConnection,    // answers kConnect: side 0; descriptors: record, arena, poll, keeper, channel
  kExisting,   // answers kConnect: connected before, side; descriptors: record, arena, poll, keeper
  kArena,      // answers kOpenArena; descriptor: the arena
  kFailed,     // answers a request: status, text
  kConnected,  // a peer connected, side 1; descriptors as with kConnection
  kPeerJoined,  // endpoint_id, role, number = process id, language, token
  kPeerDead,    // endpoint_id, text = cause
  kShutdown,    // text = cause; the socket closes
};

inline constexpr uint32_t kControlMagic = 0x43424b54;  // "TKBC"
inline constexpr uint32_t kMessageDescriptorsMax = 5;

struct ControlMessage {
  // The prefix is the same in every version of Thornback,
  // so that a mismatch can be told from garbage.
  uint32_t magic = kControlMagic;
  uint32_t abi_version = TBK_ABI_VERSION;
  char build_version[24] = {};
  // From here on the version decides.
  MessageKind kind{};
  uint32_t request = 0;
  uint32_t endpoint_id = 0;
  uint32_t status = 0;  // tbk_status_t
  uint32_t role = 0;    // tbk_role_t
  uint32_t side = 0;
  uint32_t number = 0;
  uint32_t reserved = 0;
  uint64_t store_bytes_max = 0;
  uint64_t arena_bytes_max = 0;
  char language[16] = {};
  char token[128] = {};
  char text[256] = {};

  ControlMessage() = default;
  explicit ControlMessage(MessageKind message_kind) : kind(message_kind) {
    std::memcpy(build_version, kBuildVersion, sizeof(kBuildVersion));
  }
};
inline constexpr size_t kVersionPrefixBytes = 32;
static_assert(offsetof(ControlMessage, kind) == kVersionPrefixBytes);
static_assert(sizeof(kBuildVersion) <= sizeof(ControlMessage::build_version));
static_assert(std::is_trivially_copyable_v<ControlMessage> && sizeof(ControlMessage) == 480);

// How many descriptors a message of this kind carries; -1 for a kind that does not exist.
constexpr int descriptors_of(MessageKind kind) {
  switch (kind) {
    case MessageKind::kConnection:
    case MessageKind::kConnected: return 5;
    case MessageKind::kPublish:
    case MessageKind::kExisting: return 4;
    case MessageKind::kConnect:
    case MessageKind::kWelcome:
    case MessageKind::kArena: return 1;
    case MessageKind::kHello:
    case MessageKind::kArmed:
    case MessageKind::kOpenArena:
    case MessageKind::kArenaUnmapped:
    case MessageKind::kDetach:
    case MessageKind::kRefused:
    case MessageKind::kPublished:
    case MessageKind::kFailed:
    case MessageKind::kPeerJoined:
    case MessageKind::kPeerDead:
    case MessageKind::kShutdown: return 0;
  }
  return -1;
}

// Text fields end at the first zero byte or with the field; longer text is cut.
template <size_t N>
void set_text(char (&field)[N], std::string_view text) {
  const size_t size = std::min(text.size(), N - 1);
  std::memcpy(field, text.data(), size);
  std::memset(field + size, 0, N - size);
}
template <size_t N>
std::string text_of(const char (&field)[N]) {
  return {field, strnlen(field, N)};
}

}  // namespace thornback::node
