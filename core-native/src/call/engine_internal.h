// Helpers shared by the files of the engine.
#pragma once

#include "call/engine.h"
#include "call/error_value.h"

namespace thornback::call {

// A call on its way out: the arguments as bytes of the caller or as an object of the own arena.
struct Engine::Outgoing {
  uint64_t result = 0;
  uint32_t function = 0;
  uint32_t flags = 0;
  uint32_t options = 0;
  uint64_t deadline_ns = 0;
  const uint8_t* data = nullptr;
  uint64_t size = 0;
  bool is_stored = false;
  store::ObjectName stored{};
  const tbk_ref_entry_t* refs = nullptr;
  uint32_t ref_count = 0;

  bool wants_reply() const { return result != 0; }
};

template <typename Frame>
void Engine::send(Peer& peer, wire::FrameKind kind, const Frame& frame) {
  if (peer.is_dead || !peer.channel) return;
  std::byte* body = open_frame(peer, kind, sizeof frame, true);
  std::memcpy(body, &frame, sizeof frame);
}

// Writes structs and bytes one after the other into a frame's body.
class FrameWriter {
 public:
  explicit FrameWriter(std::byte* at) : at_(at) {}
  template <typename Struct>
  void write(const Struct& value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  void bytes(const void* data, uint64_t size) {
    if (size > 0) std::memcpy(at_, data, size);
    at_ += size;
  }

 private:
  std::byte* at_;
};

// The peer's calls form a list through IncomingCall::previous and next.
inline uint64_t object_key(store::ObjectName name) {
  return uint64_t{name.generation} << 32 | name.slot;
}
inline store::ObjectName object_of_key(uint64_t key) {
  return {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
}

// Flags of frames that no binding sees.
inline constexpr uint32_t kCancelCallBack = 0x100;  // only if it has not been started: return it
inline constexpr uint32_t kReplyReturned = 0x100;   // it was not started and will not be

inline constexpr uint64_t kLeaseIdleNs = 300'000'000;  // then it goes back to the agent

inline constexpr uint8_t kPayloadError = 1;      // wire::Payload flags
inline constexpr uint8_t kPayloadCompanion = 2;  // a stored value has a ref table beside it

inline wire::StorageId no_storage() {
  return {0, 0, 0, 0};
}
inline wire::Payload no_payload() {
  return {0, 0, 0, 0, 0, no_storage()};
}

}  // namespace thornback::call
