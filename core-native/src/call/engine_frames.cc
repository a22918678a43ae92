// Frames: writing them into rings or outboxes, reading them from rings, and taking faulty peers
// out.
#include <cstring>

#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

using wire::FrameKind;

// Room for a frame's body, or null when the ring is full and the frame may not be queued (calls:
// the caller keeps them). The frame is complete with the next flush(), so the body must be written
// before the engine is left.
std::byte* Engine::open_frame(Peer& peer, FrameKind kind, uint64_t size, bool may_queue) {
  uint16_t flags = 0;
  store::Arena::Allocation external{};
  if (size > kFrameBytesMax) {
    if (!may_queue && !peer.outbox.empty()) return nullptr;
    Result<store::Arena::Allocation> allocation = arena_.allocate(size);
    if (!allocation.is_ok()) return nullptr;
    external = allocation.value();
    arena_.seal(external.name, 0);
    give_object(peer, external.name);
    flags = kFrameExternal;
    size = sizeof(wire::StorageId);
    may_queue = true;
  }
  std::byte* body = nullptr;
  if (flush_outbox(peer))
    body =
        peer.channel->out().claim(static_cast<uint32_t>(size), static_cast<uint16_t>(kind), flags);
  if (body == nullptr && peer.outbox.empty()) {
    peer.channel->out().publish();
    if (peer.channel->out().wait_for_room(static_cast<uint32_t>(size))) {
      body = peer.channel->out().claim(static_cast<uint32_t>(size), static_cast<uint16_t>(kind),
                                       flags);
    }
  }
  mark_dirty(peer);
  if (body == nullptr) {
    if (!may_queue) return nullptr;
    peer.outbox.push_back({static_cast<uint16_t>(kind), flags, std::vector<std::byte>(size)});
    body = peer.outbox.back().body.data();
  }
  ++counters_.frames_sent;
  if (flags != kFrameExternal) return body;
  const wire::StorageId name = own_storage(external.name);
  std::memcpy(body, &name, sizeof name);
  return external.data;
}

// True when the outbox is empty afterwards: frames keep their order.
bool Engine::flush_outbox(Peer& peer) {
  while (!peer.outbox.empty()) {
    OutboxFrame& frame = peer.outbox.front();
    const auto size = static_cast<uint32_t>(frame.body.size());
    std::byte* body = peer.channel->out().claim(size, frame.kind, frame.flags);
    if (body == nullptr) {
      peer.channel->out().publish();
      mark_dirty(peer);
      if (!peer.channel->out().wait_for_room(size)) return false;
      continue;
    }
    if (size > 0) std::memcpy(body, frame.body.data(), size);
    mark_dirty(peer);
    peer.outbox.pop_front();
  }
  return true;
}

void Engine::mark_dirty(Peer& peer) {
  if (peer.is_dirty) return;
  peer.is_dirty = true;
  dirty_.push_back(&peer);
}

void Engine::flush() {
  for (size_t i = 0; i < dirty_.size(); ++i) {
    Peer& peer = *dirty_[i];
    peer.is_dirty = false;
    if (peer.is_dead || !peer.channel) continue;
    peer.channel->out().publish();
    if (shm::ring_and_wake(peer.wake_targets(), node::endpoint_index(self_)))
      ++counters_.wakes_sent;
  }
  dirty_.clear();
}

void Engine::drain(uint32_t peer_index) {
  Peer* peer = peers_[peer_index].get();
  if (peer == nullptr || peer->is_dead || !peer->channel) return;
  shm::RingConsumer<>& in = peer->channel->in();
  shm::RingFrame frame{};
  while (true) {
    const shm::RingRead read = in.next(frame);
    if (read == shm::RingRead::kEmpty) break;
    ++counters_.frames_received;
    const auto kind = static_cast<FrameKind>(frame.kind);
    channel::FrameReader reader(frame.data, frame.size);
    const bool is_external = (frame.flags & kFrameExternal) != 0;
    const bool is_sound =
        read == shm::RingRead::kFrame &&
        (is_external ? dispatch_external(*peer, kind, reader) : dispatch(*peer, kind, reader));
    if (!is_sound) {
      isolate(*peer);
      return;
    }
    run_settled();
  }
  // The producer may wait for the room that was just given back, and calls here may wait for room
  // in the other direction.
  if (in.release()) mark_dirty(*peer);
  recent_partner_ = peer->endpoint_id;
  if (!peer->outbox.empty()) flush_outbox(*peer);
  if (!peer->waiting_targets.empty()) {
    std::vector<uint32_t> waiting;
    waiting.swap(peer->waiting_targets);
    for (const uint32_t number : waiting) flush_target(number);
  }
}

bool Engine::dispatch(Peer& peer, FrameKind kind, channel::FrameReader reader) {
  switch (kind) {
    case FrameKind::Function: return on_function(peer, reader);
    case FrameKind::Call: return on_call(peer, reader);
    case FrameKind::Reply: return on_reply(peer, reader);
    case FrameKind::Cancel: return on_cancel(peer, reader);
    case FrameKind::Credit: return on_credit(peer, reader);
    case FrameKind::Resolved: return on_resolved(peer, reader);
    case FrameKind::Probe: return on_probe(peer, reader);
    case FrameKind::Subscribe:
    case FrameKind::Borrow:
    case FrameKind::Borrowed:
    case FrameKind::HandedOver:
    case FrameKind::Unborrow: return on_ref(peer, kind, reader);
    case FrameKind::Free:
    case FrameKind::Hold: return on_object(peer, kind, reader);
    default: return false;
  }
}

// The ring carries the name of the frame's body, which lies in the sender's arena.
bool Engine::dispatch_external(Peer& peer, FrameKind kind, channel::FrameReader reader) {
  wire::StorageId name;
  if (!reader.read(name) || name.arena() != peer.endpoint_id) return false;
  const uint8_t* data = nullptr;
  uint64_t size = 0;
  uint32_t companion = 0;
  if (!locate(name, &data, &size, &companion).is_ok()) return false;
  const bool is_sound =
      dispatch(peer, kind, channel::FrameReader(reinterpret_cast<const std::byte*>(data), size));
  if (is_sound) send(peer, FrameKind::Free, wire::FreeFrame(name));
  return is_sound;
}

bool Engine::on_function(Peer& peer, channel::FrameReader reader) {
  wire::FunctionFrame frame;
  if (!reader.read(frame)) return false;
  const std::byte* name = reader.take(frame.name_size());
  // Numbers are given in order by the sender's own table, so a gap of more than its whole table is
  // nonsense.
  constexpr uint32_t kNumbersMax = 1U << 20;
  if (name == nullptr || frame.number() >= kNumbersMax) return false;
  if (frame.number() >= peer.functions_received.size())
    peer.functions_received.resize(frame.number() + 1, 0);
  peer.functions_received[frame.number()] =
      intern_function({reinterpret_cast<const char*>(name), frame.name_size()});
  return true;
}

// A peer that writes nonsense is treated as dead: nothing it writes is read again, and calls to it
// fail.
void Engine::isolate(Peer& peer) {
  const std::string text = "endpoint " + std::to_string(peer.endpoint_id) +
                           " wrote a frame that no correct peer writes and was cut off";
  peer.is_faulty = true;
  ++peer.arena_uses;  // remembered until it is really gone, or the hub would introduce it again
  on_peer_dead(peer.endpoint_id, text);
}

}  // namespace thornback::call
