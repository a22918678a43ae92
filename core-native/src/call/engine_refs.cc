// Refs: pins, readiness, and the protocol between owners and borrowers (ARCHITECTURE.md, "Refs,
// owners, storage").
#include <cstring>

#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

using wire::FrameKind;

namespace {

std::string borrowed_key(const wire::RefId& name) {
  std::string key(12, '\0');
  const uint32_t parts[3] = {name.owner(), name.slot(), name.generation()};
  std::memcpy(key.data(), parts, sizeof parts);
  return key;
}

}  // namespace

uint64_t Engine::reserve() {
  const uint64_t ref = refs_.insert();
  refs_.find(ref)->pins = 1;
  return ref;
}

Status Engine::retain(uint64_t ref) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr) return {TBK_NOT_FOUND, "no such ref: it was released"};
  ++record->pins;
  return Status::ok();
}

void Engine::release(uint64_t ref) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr) return;
  // The consumer of an unfinished stream has gone: only the call itself holds it now.
  const bool abandons_stream = record->stream() != nullptr &&
                               record->state == RefRecord::State::kPending && record->pins == 2;
  if (abandons_stream) (void)cancel(ref, 0);
  unpin(ref);
  run_settled();
}

void Engine::pin(uint64_t ref) {
  ++refs_.find(ref)->pins;
}

void Engine::unpin(uint64_t ref) {
  RefRecord* record = refs_.find(ref);
  TBK_CHECK(record != nullptr && record->pins > 0);
  if (--record->pins > 0) return;
  // A value can contain values: the list keeps a deep one from using up the stack.
  unpins_.push_back(ref);
  if (is_unpinning_) return;
  is_unpinning_ = true;
  while (!unpins_.empty()) {
    const uint64_t next = unpins_.back();
    unpins_.pop_back();
    destroy(next, *refs_.find(next));
  }
  is_unpinning_ = false;
}

void Engine::destroy(uint64_t ref, RefRecord& record) {
  drop(record.blob);
  if (StreamState* stream = record.stream()) {
    for (const uint64_t item : stream->items) unpin(item);
  }
  if (!record.is_owned) {
    borrowed_.erase(borrowed_key(record.name));
    Peer* owner = peer(record.name.owner());
    if (owner != nullptr && record.receptions > 0)
      send(*owner, FrameKind::Unborrow, wire::RefFrame(record.name, record.receptions, 0));
  }
  refs_.erase(ref);
}

void Engine::drop(Blob& blob) {
  for (const tbk_ref_entry_t& entry : blob.refs) unpin(entry.ref);
  blob.refs.clear();
  if (blob.kind == Blob::Kind::kStored) {
    const uint32_t arena = blob.storage.arena();
    if (blob.holds) {
      const store::ObjectName name{blob.storage.slot(), blob.storage.generation()};
      if (arena == self_) {
        release_object(object_key(name));
      } else if (Peer* holder = peer(arena)) {
        send(*holder, FrameKind::Free, wire::FreeFrame(blob.storage));
      }
    }
    if (arena != self_) count_arena_use(arena, -1);
  }
  blob.kind = Blob::Kind::kNone;
}

bool Engine::is_ready(const RefRecord& record) const {
  if (record.state == RefRecord::State::kReady) return true;
  const StreamState* stream = record.stream();
  return stream != nullptr && (stream->ended || !stream->items.empty());
}

bool Engine::is_ready(uint64_t ref) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr || is_ready(*record)) return true;
  if (!record->is_owned) subscribe(*record);
  return false;
}

void Engine::add_waiter(uint64_t ref, Waiter* waiter) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr) return;
  if (record->waiter == nullptr) {
    record->waiter = waiter;
  } else {
    record->more().waiters.push_back(waiter);
  }
}

void Engine::remove_waiter(uint64_t ref, Waiter* waiter) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr) return;
  if (record->waiter == waiter) record->waiter = nullptr;
  if (record->extra) std::erase(record->extra->waiters, waiter);
}

void Engine::notify_waiters(RefRecord& record) {
  has_notified_ = true;
  const auto notify = [](Waiter* waiter) {
    if (waiter->missing > 0 && --waiter->missing == 0) waiter->condition.notify_one();
  };
  if (record.waiter != nullptr) notify(record.waiter);
  record.waiter = nullptr;
  if (!record.extra) return;
  for (Waiter* waiter : record.extra->waiters) notify(waiter);
  record.extra->waiters.clear();
}

// The value of `ref` has been filled in: tells everyone who waits for it. Calls that become
// sendable are only noted (run_settled).
void Engine::set_ready(uint64_t ref, RefRecord& record) {
  record.state = RefRecord::State::kReady;
  notify_waiters(record);
  if (record.is_watched) {
    record.is_watched = false;
    emit(TBK_EVENT_READY, ref);
  }
  if (!record.extra) return;
  for (const uint32_t subscriber : std::exchange(record.extra->subscribers, {})) {
    if (Peer* to = peer(subscriber)) send_resolved(*to, ref, record);
  }
  for (const uint64_t dependent : std::exchange(record.extra->dependents, {}))
    settled_.push_back(dependent);
  for (const uint32_t number : std::exchange(record.extra->targets, {}))
    settled_targets_.emplace_back(number, ref);
}

// Iterative, because one result can settle a call whose failure settles the next, and so on.
void Engine::run_settled() {
  if (is_settling_) return;
  is_settling_ = true;
  while (!settled_.empty() || !settled_targets_.empty() || !refilled_.empty() ||
         !orphaned_.empty()) {
    for (const uint64_t ref : std::exchange(orphaned_, {})) {
      if (RefRecord* orphan = refs_.find(ref)) on_borrowed(ref, *orphan, 0);
    }
    if (!settled_targets_.empty()) {
      const auto [number, ref] = settled_targets_.back();
      settled_targets_.pop_back();
      resolve_target(number, ref);
      continue;
    }
    if (!refilled_.empty()) {
      const uint32_t number = refilled_.back();
      refilled_.pop_back();
      if (Target* refilled = target(number)) {
        refilled->is_refilled = false;
        flush_target(number);
      }
      continue;
    }
    std::vector<uint64_t> settled;
    settled.swap(settled_);
    for (const uint64_t handle : settled) {
      QueuedCall* queued = queued_.find(handle);
      if (queued != nullptr && --queued->missing == 0) queue_ready(handle);
    }
  }
  is_settling_ = false;
}

void Engine::set_error(uint64_t ref, RefRecord& record, std::string_view code,
                       const std::string& message) {
  const std::vector<uint8_t> error = encode_error(code, message);
  record.blob.set_inline(error.data(), error.size(), true);
  set_ready(ref, record);
}

// Names a ref in a frame to `to` and counts that it has been handed out.
wire::RefId Engine::export_ref(uint64_t ref, Peer& to) {
  RefRecord& record = *refs_.find(ref);
  if (record.is_owned) {
    if (to.endpoint_id == self_) {
      ++record.pins;  // import_ref takes this pin over
    } else if (++to.receptions[ref] == 1) {
      ++record.pins;
    }
    return {self_, SlotTable<RefRecord>::slot_of(ref), SlotTable<RefRecord>::generation_of(ref), 0};
  }
  if (to.endpoint_id == self_) {
    ++record.pins;
  } else if (record.name.owner() != to.endpoint_id && ++to.handovers[ref] == 1) {
    ++record.pins;
  }
  return record.name;
}

// A ref that arrived in a frame from `from`: returns its handle with one pin for the caller.
uint64_t Engine::import_ref(const wire::RefId& name, Peer& from) {
  if (from.endpoint_id == self_) {
    const uint64_t local = name.owner() == self_
                               ? SlotTable<RefRecord>::handle_of(name.slot(), name.generation())
                               : find_or_add_borrowed(name);
    if (refs_.find(local) != nullptr) return local;
  }
  if (name.owner() == self_) {
    const uint64_t own = SlotTable<RefRecord>::handle_of(name.slot(), name.generation());
    if (RefRecord* record = refs_.find(own)) {
      ++record->pins;
      return own;
    }
    const uint64_t lost = reserve();
    set_error(lost, *refs_.find(lost), "OBJECT_LOST",
              "the ref came back after its owner had released it");
    return lost;
  }
  const uint64_t ref = find_or_add_borrowed(name);
  RefRecord& record = *refs_.find(ref);
  ++record.pins;
  if (name.owner() == from.endpoint_id) {
    ++record.receptions;
  } else if (record.receptions > 0) {
    send(from, FrameKind::HandedOver, wire::RefFrame(name, 1, 0));
  } else {
    record.more().handed_over_by.push_back(from.endpoint_id);
    ask_owner(ref, record);
  }
  return ref;
}

// A ref found in the ref table of a stored value: `guard` is the ref of that value, which keeps it
// alive until its owner knows this endpoint.
uint64_t Engine::import_nested(const wire::RefId& name, uint64_t guard) {
  if (name.owner() == self_) {
    const uint64_t own = SlotTable<RefRecord>::handle_of(name.slot(), name.generation());
    if (refs_.find(own) != nullptr) {
      pin(own);
      return own;
    }
    const uint64_t lost = reserve();
    set_error(lost, *refs_.find(lost), "OBJECT_LOST",
              "the owner had released this ref before it was read from a value");
    return lost;
  }
  const uint64_t ref = find_or_add_borrowed(name);
  RefRecord& record = *refs_.find(ref);
  ++record.pins;
  if (record.receptions == 0) {
    pin(guard);
    record.more().guards.push_back(guard);
    ask_owner(ref, record);
  }
  return ref;
}

uint64_t Engine::find_or_add_borrowed(const wire::RefId& name) {
  const auto [found, is_new] = borrowed_.try_emplace(borrowed_key(name), 0);
  if (is_new) {
    found->second = refs_.insert();
    RefRecord& record = *refs_.find(found->second);
    record.is_owned = false;
    record.name = name;
    record.state = RefRecord::State::kPending;
  }
  return found->second;
}

void Engine::ask_owner(uint64_t ref, RefRecord& record) {
  if (record.awaits_borrowed) return;
  record.awaits_borrowed = true;
  ++record.pins;
  Result<Peer*> owner = ensure_peer(record.name.owner());
  if (owner.is_ok()) {
    send(*owner.value(), FrameKind::Borrow, wire::RefFrame(record.name, 1, 0));
  } else {
    orphaned_.push_back(ref);  // the frame that brought the ref may bring its value as well
  }
}

// The owner has answered Borrow, or is gone (count 0).
void Engine::on_borrowed(uint64_t ref, RefRecord& record, uint32_t count) {
  if (!record.awaits_borrowed) return;
  record.awaits_borrowed = false;
  record.receptions += count;
  if (count == 0 && record.state == RefRecord::State::kPending) {
    set_error(ref, record, "OWNER_DIED",
              "the owner of the ref, endpoint " + std::to_string(record.name.owner()) +
                  ", is gone or has released it");
  }
  if (record.extra) {
    for (const uint32_t from : std::exchange(record.extra->handed_over_by, {})) {
      if (Peer* to = peer(from))
        send(*to, FrameKind::HandedOver, wire::RefFrame(record.name, 1, 0));
    }
    for (const uint64_t guard : std::exchange(record.extra->guards, {})) unpin(guard);
  }
  unpin(ref);
}

void Engine::subscribe(RefRecord& record) {
  if (record.is_subscribed || record.state != RefRecord::State::kPending) return;
  record.is_subscribed = true;
  if (Peer* owner = peer(record.name.owner()))
    send(*owner, FrameKind::Subscribe, wire::RefFrame(record.name, 0, 0));
}

void Engine::send_resolved(Peer& to, uint64_t ref, RefRecord& record) {
  const wire::RefId name(self_, SlotTable<RefRecord>::slot_of(ref),
                         SlotTable<RefRecord>::generation_of(ref), 0);
  if (record.blob.size() > kInlineBytesMax || !record.blob.refs.empty()) (void)promote(record);
  const Blob& blob = record.blob;
  const bool is_inline = blob.kind == Blob::Kind::kInline;
  const uint8_t flags = static_cast<uint8_t>((blob.is_error ? kPayloadError : 0) |
                                             (blob.refs.empty() ? 0 : kPayloadCompanion));
  const wire::Payload value(
      static_cast<uint8_t>(is_inline ? wire::PayloadKind::Inline : wire::PayloadKind::Stored),
      flags, 0, 0, blob.size(), is_inline ? no_storage() : blob.storage);
  std::byte* body = open_frame(to, FrameKind::Resolved,
                               sizeof(wire::ResolvedFrame) + (is_inline ? blob.size() : 0), true);
  if (body == nullptr) return;
  FrameWriter writer(body);
  writer.write(wire::ResolvedFrame(name, value));
  if (is_inline) writer.bytes(blob.data(), blob.size());
}

bool Engine::on_resolved(Peer& from, channel::FrameReader& reader) {
  wire::ResolvedFrame frame;
  if (!reader.read(frame) || frame.id().owner() != from.endpoint_id) return false;
  const bool is_inline = frame.value().kind() == static_cast<uint8_t>(wire::PayloadKind::Inline);
  const std::byte* bytes = is_inline ? reader.take(frame.value().size()) : nullptr;
  if (is_inline && bytes == nullptr) return false;
  const auto found = borrowed_.find(borrowed_key(frame.id()));
  if (found == borrowed_.end()) return true;
  return adopt_value(found->second, frame.value(), bytes);
}

bool Engine::on_ref(Peer& from, FrameKind kind, channel::FrameReader& reader) {
  wire::RefFrame frame;
  if (!reader.read(frame)) return false;
  const wire::RefId& name = frame.id();
  if (kind == FrameKind::Borrowed || kind == FrameKind::HandedOver) {
    if (kind == FrameKind::HandedOver && name.owner() == self_) return false;
    const auto found = borrowed_.find(borrowed_key(name));
    if (found == borrowed_.end()) return kind == FrameKind::HandedOver;
    if (kind == FrameKind::Borrowed) {
      on_borrowed(found->second, *refs_.find(found->second), frame.count() == 0 ? 0 : 1);
    } else if (const auto handover = from.handovers.find(found->second);
               handover != from.handovers.end()) {
      if (--handover->second == 0) {
        from.handovers.erase(handover);
        unpin(found->second);
      }
    }
    return true;
  }
  if (name.owner() != self_) return false;
  const uint64_t own = SlotTable<RefRecord>::handle_of(name.slot(), name.generation());
  RefRecord* record = refs_.find(own);
  if (kind == FrameKind::Borrow) {
    if (record != nullptr && ++from.receptions[own] == 1) ++record->pins;
    send(from, FrameKind::Borrowed, wire::RefFrame(name, record == nullptr ? 0 : 1, 0));
  } else if (kind == FrameKind::Unborrow) {
    if (record != nullptr) forget_receptions(from, own, frame.count());
  } else if (record != nullptr) {  // Subscribe
    if (record->state == RefRecord::State::kReady) {
      send_resolved(from, own, *record);
    } else {
      record->more().subscribers.push_back(from.endpoint_id);
    }
  }
  return true;
}

void Engine::forget_receptions(Peer& from, uint64_t ref, uint32_t count) {
  const auto found = from.receptions.find(ref);
  if (found == from.receptions.end()) return;
  if (found->second > count) {
    found->second -= count;
    return;
  }
  from.receptions.erase(found);
  unpin(ref);
}

}  // namespace thornback::call
