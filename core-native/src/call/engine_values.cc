// Values: private and stored bytes, their ref tables, and who holds stored objects.
#include <cstring>

#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

using wire::PayloadKind;

wire::StorageId Engine::own_storage(store::ObjectName name) const {
  return {self_, name.slot, name.generation, 0};
}

Status Engine::create_buffer(uint64_t size, tbk_buffer_t& out) {
  Result<store::Arena::Allocation> allocation = arena_.allocate(size);
  if (!allocation.is_ok()) return allocation.status();
  out.token = buffers_.insert();
  *buffers_.find(out.token) = allocation.value().name;
  out.data = reinterpret_cast<uint8_t*>(allocation.value().data);
  out.size = size;
  return Status::ok();
}

Status Engine::discard_buffer(uint64_t token) {
  store::ObjectName* name = buffers_.find(token);
  if (name == nullptr) return {TBK_NOT_FOUND, "no such buffer: it was sealed or discarded"};
  arena_.free(*name);
  buffers_.erase(token);
  return Status::ok();
}

Result<store::ObjectName> Engine::store_bytes(const uint8_t* data, uint64_t size) {
  Result<store::Arena::Allocation> allocation = arena_.allocate(size);
  if (!allocation.is_ok()) return allocation.status();
  if (size > 0) std::memcpy(allocation.value().data, data, size);
  return allocation.value().name;
}

// Seals an object, with its ref table beside it for those who find the object by its name alone.
Status Engine::store_ref_table(store::ObjectName name, const tbk_ref_entry_t* refs,
                               uint32_t count) {
  uint32_t companion = 0;
  if (count > 0) {
    Result<store::Arena::Allocation> table = arena_.allocate(uint64_t{count} * sizeof(wire::RefId));
    if (!table.is_ok()) return table.status();
    FrameWriter writer(table.value().data);
    for (uint32_t i = 0; i < count; ++i) {
      const RefRecord* record = refs_.find(refs[i].ref);
      TBK_CHECK(record != nullptr);
      const uint64_t ref = refs[i].ref;
      writer.write(record->is_owned ? wire::RefId(self_, SlotTable<RefRecord>::slot_of(ref),
                                                  SlotTable<RefRecord>::generation_of(ref), 0)
                                    : record->name);
    }
    arena_.seal(table.value().name, 0);
    companion = table.value().name.slot + 1;
  }
  arena_.seal(name, companion);
  return Status::ok();
}

// The payload as a sealed object of the own arena, of which the caller has the hold.
Status Engine::stored_payload(const tbk_payload_t& payload, store::ObjectName& name,
                              uint64_t& size) {
  if (payload.buffer_token != 0) {
    store::ObjectName* buffer = buffers_.find(payload.buffer_token);
    if (buffer == nullptr) return {TBK_NOT_FOUND, "no such buffer: it was sealed or discarded"};
    name = *buffer;
    buffers_.erase(payload.buffer_token);
    size = arena_.find(name)->size();
  } else {
    Result<store::ObjectName> stored = store_bytes(payload.data, payload.size);
    if (!stored.is_ok()) return stored.status();
    name = stored.value();
    size = payload.size;
  }
  Status status = store_ref_table(name, payload.refs, payload.ref_count);
  if (!status.is_ok()) arena_.free(name);
  return status;
}

Status Engine::put(const tbk_payload_t& payload, uint64_t& out) {
  Blob blob;
  const bool is_error = (payload.flags & TBK_VALUE_ERROR) != 0;
  if (payload.buffer_token == 0 && payload.size <= kInlineBytesMax) {
    blob.set_inline(payload.data, payload.size, is_error);
  } else {
    store::ObjectName name;
    uint64_t size = 0;
    TBK_RETURN_IF_ERROR(stored_payload(payload, name, size));
    blob.set_stored(own_storage(name), reinterpret_cast<const uint8_t*>(arena_.find(name)->data()),
                    size, is_error, true);
  }
  for (uint32_t i = 0; i < payload.ref_count; ++i) pin(payload.refs[i].ref);
  blob.refs.assign(payload.refs, payload.refs + payload.ref_count);
  out = reserve();
  RefRecord& record = *refs_.find(out);
  record.blob = std::move(blob);
  record.state = RefRecord::State::kReady;
  return Status::ok();
}

// Moves a private value into the store, so that it can be handed over by name.
Status Engine::promote(RefRecord& record) {
  Blob& blob = record.blob;
  if (blob.kind != Blob::Kind::kInline) return Status::ok();
  Result<store::ObjectName> stored = store_bytes(blob.data(), blob.size());
  if (!stored.is_ok()) return stored.status();
  if (Status status = store_ref_table(stored.value(), blob.refs.data(),
                                      static_cast<uint32_t>(blob.refs.size()));
      !status.is_ok()) {
    arena_.free(stored.value());
    return status;
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(arena_.find(stored.value())->data());
  blob.set_stored(own_storage(stored.value()), bytes, blob.size(), blob.is_error, true);
  return Status::ok();
}

Status Engine::read(uint64_t ref, tbk_value_t& out) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr) return {TBK_NOT_FOUND, "no such ref: it was released"};
  if (record->state != RefRecord::State::kReady) {
    if (!record->is_owned) subscribe(*record);
    return {TBK_WOULD_BLOCK, "the value is not there yet"};
  }
  record->is_read = true;
  record->blob.fill(out, ref);
  return Status::ok();
}

Status Engine::watch(uint64_t ref) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr) return {TBK_NOT_FOUND, "no such ref: it was released"};
  if (is_ready(*record)) {
    emit(TBK_EVENT_READY, ref);
    return Status::ok();
  }
  record->is_watched = true;
  if (!record->is_owned) subscribe(*record);
  return Status::ok();
}

Status Engine::id(uint64_t ref, uint8_t out[16]) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr) return {TBK_NOT_FOUND, "no such ref: it was released"};
  const wire::RefId name = record->is_owned
                               ? wire::RefId(self_, SlotTable<RefRecord>::slot_of(ref),
                                             SlotTable<RefRecord>::generation_of(ref), 0)
                               : record->name;
  std::memcpy(out, &name, 16);
  return Status::ok();
}

Status Engine::map_private(uint64_t ref, uint8_t** out_data, uint64_t* out_size) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr) return {TBK_NOT_FOUND, "no such ref: it was released"};
  if (record->state != RefRecord::State::kReady || record->blob.kind != Blob::Kind::kStored) {
    return {TBK_INVALID, "only stored values can be mapped"};
  }
  const wire::StorageId& storage = record->blob.storage;
  Result<Peer*> holder = ensure_arena(storage.arena());
  if (!holder.is_ok()) return holder.status();
  Result<store::ArenaReader::PrivateView> view =
      holder.value()->arena->map_private({storage.slot(), storage.generation()});
  if (!view.is_ok()) return view.status();
  *out_data = reinterpret_cast<uint8_t*>(view.value().data);
  *out_size = view.value().size;
  (void)view.value().mapping.release();
  return Status::ok();
}

// Finds stored bytes by name; maps the arena they lie in if need be.
Status Engine::locate(const wire::StorageId& storage, const uint8_t** data, uint64_t* size,
                      uint32_t* companion) {
  if (storage.arena() == self_) {
    const auto bytes = arena_.find({storage.slot(), storage.generation()});
    if (!bytes) return {TBK_NOT_FOUND, "the stored object is gone"};
    *data = reinterpret_cast<const uint8_t*>(bytes->data());
    *size = bytes->size();
    *companion = 0;
    return Status::ok();
  }
  Result<Peer*> holder = ensure_arena(storage.arena());
  if (!holder.is_ok()) return holder.status();
  Result<store::ArenaReader::Object> object =
      holder.value()->arena->read({storage.slot(), storage.generation()});
  if (!object.is_ok()) return object.status();
  *data = reinterpret_cast<const uint8_t*>(object.value().data);
  *size = object.value().size;
  *companion = 0;
  if (object.value().has_companion()) *companion = object.value().companion;
  return Status::ok();
}

// Fills a borrowed ref with the value its owner (or who passed it on) has named. False: nonsense.
bool Engine::adopt_value(uint64_t ref, const wire::Payload& value, const std::byte* inline_bytes) {
  RefRecord* record = refs_.find(ref);
  if (record == nullptr || record->is_owned || record->state == RefRecord::State::kReady)
    return true;
  const bool is_error = (value.flags() & kPayloadError) != 0;
  if (value.kind() == static_cast<uint8_t>(PayloadKind::Inline)) {
    record->blob.set_inline(inline_bytes, value.size(), is_error);
    set_ready(ref, *record);
    return true;
  }
  if (value.kind() != static_cast<uint8_t>(PayloadKind::Stored)) return false;
  const wire::StorageId& storage = value.storage();
  const uint8_t* data = nullptr;
  uint64_t size = 0;
  uint32_t companion = 0;
  if (Status status = locate(storage, &data, &size, &companion); !status.is_ok()) {
    set_error(ref, *record, "OBJECT_LOST",
              "the stored bytes of the ref are gone: " + status.text());
    return true;
  }
  // The owner keeps its own arena's object for as long as this endpoint has the ref. A third
  // endpoint must be told.
  const bool holds = storage.arena() != record->name.owner() && storage.arena() != self_;
  if (holds) {
    if (Peer* holder = peer(storage.arena()))
      send(*holder, wire::FrameKind::Hold, wire::FreeFrame(storage));
  }
  record->blob.set_stored(storage, data, size, is_error, holds);
  if (storage.arena() != self_) count_arena_use(storage.arena(), 1);
  if ((value.flags() & kPayloadCompanion) != 0 && companion != 0) {
    Result<store::ArenaReader::Object> table = Status(TBK_NOT_FOUND, "");
    const Result<store::ArenaReader::Object> object =
        peers_[node::endpoint_index(storage.arena())]->arena->read(
            {storage.slot(), storage.generation()});
    if (object.is_ok())
      table = peers_[node::endpoint_index(storage.arena())]->arena->read(
          object.value().companion_name());
    if (!table.is_ok()) return false;
    const auto* names = table.value().data;
    const uint64_t count = table.value().size / sizeof(wire::RefId);
    for (uint64_t i = 0; i < count; ++i) {
      wire::RefId name;
      std::memcpy(static_cast<void*>(&name), names + i * sizeof name, sizeof name);
      const uint64_t nested = import_nested(name, ref);
      record = refs_.find(ref);
      record->blob.refs.push_back({nested, 0, 0});
    }
  }
  set_ready(ref, *record);
  return true;
}

// The payload of a call or reply: its ref table, then its bytes. False: nonsense. Holds go to
// `out`.
bool Engine::read_payload(Peer& from, const wire::Payload& payload, channel::FrameReader& reader,
                          Blob& out) {
  const bool is_error = (payload.flags() & kPayloadError) != 0;
  const auto kind = static_cast<PayloadKind>(payload.kind());
  if (payload.ref_count() > reader.left() / sizeof(wire::RefEntry)) return false;
  channel::FrameReader entries(reader.take(payload.ref_count() * sizeof(wire::RefEntry)),
                               payload.ref_count() * sizeof(wire::RefEntry));
  if (kind == PayloadKind::Inline) {
    const std::byte* bytes = reader.take(payload.size());
    if (bytes == nullptr) return false;
    out.set_inline(bytes, payload.size(), is_error);
  } else if (kind == PayloadKind::Stored) {
    const uint8_t* data = nullptr;
    uint64_t size = 0;
    uint32_t companion = 0;
    if (payload.storage().arena() != from.endpoint_id) return false;
    if (!locate(payload.storage(), &data, &size, &companion).is_ok()) return false;
    out.set_stored(payload.storage(), data, size, is_error, true);
    if (payload.storage().arena() != self_) count_arena_use(payload.storage().arena(), 1);
    counters_.bytes_shared += size;
  }
  out.refs.reserve(payload.ref_count());
  for (uint32_t i = 0; i < payload.ref_count(); ++i) {
    wire::RefEntry entry;
    if (!entries.read(entry)) return false;
    const uint64_t ref = import_ref(entry.id(), from);
    out.refs.push_back({ref, entry.flags(), 0});
    const auto value_kind = static_cast<PayloadKind>(entry.value().kind());
    if (value_kind == PayloadKind::None) continue;
    const std::byte* bytes =
        value_kind == PayloadKind::Inline ? reader.take(entry.value().size()) : nullptr;
    if (value_kind == PayloadKind::Inline && bytes == nullptr) return false;
    if (!adopt_value(ref, entry.value(), bytes)) return false;
  }
  return true;
}

// The hold on an own object goes to a peer with the frame that names the object.
void Engine::give_object(Peer& to, store::ObjectName name) {
  if (to.endpoint_id == self_) return;  // an endpoint that calls itself keeps the hold
  ++to.held_objects[object_key(name)];
}

void Engine::release_object(uint64_t key) {
  const auto more = extra_holds_.find(key);
  if (more == extra_holds_.end()) {
    arena_.free(object_of_key(key));
  } else if (--more->second == 0) {
    extra_holds_.erase(more);
  }
}

bool Engine::on_object(Peer& from, wire::FrameKind kind, channel::FrameReader& reader) {
  wire::FreeFrame frame;
  if (!reader.read(frame) || frame.storage().arena() != self_) return false;
  const store::ObjectName name{frame.storage().slot(), frame.storage().generation()};
  const uint64_t key = object_key(name);
  if (kind == wire::FrameKind::Hold) {
    if (!arena_.find(name)) return true;  // given back already: the reader has let go of it as well
    ++extra_holds_[key];
    ++from.held_objects[key];
    return true;
  }
  if (from.endpoint_id == self_) {
    release_object(key);
    return true;
  }
  const auto held = from.held_objects.find(key);
  if (held == from.held_objects.end()) return true;
  if (--held->second == 0) from.held_objects.erase(held);
  release_object(key);
  return true;
}

void Engine::count_arena_use(uint32_t endpoint_id, int change) {
  Peer* holder = peers_[node::endpoint_index(endpoint_id)].get();
  if (holder == nullptr || holder->endpoint_id != endpoint_id) return;
  holder->arena_uses += change;
  if (holder->is_dead && holder->arena_uses == 0) collect_peer(endpoint_id);
}

std::vector<std::unique_ptr<store::ArenaReader>> Engine::take_viewed_arenas(bool& needs_own_arena) {
  std::vector<std::unique_ptr<store::ArenaReader>> taken;
  needs_own_arena = false;
  refs_.for_each([&](uint64_t, RefRecord& record) {
    if (!record.is_read || record.blob.kind != Blob::Kind::kStored) return;
    const uint32_t arena = record.blob.storage.arena();
    if (arena == self_) {
      needs_own_arena = true;
    } else if (Peer* holder = peers_[node::endpoint_index(arena)].get();
               holder != nullptr && holder->arena) {
      taken.push_back(std::move(holder->arena));
    }
  });
  return taken;
}

}  // namespace thornback::call
