// Peers: being introduced, and what happens when one is gone.
#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

Engine::Engine(node::Member& member, shm::EndpointRecord& record, store::Arena& arena,
               EngineLimits limits)
    : member_(member),
      record_(record),
      arena_(arena),
      limits_(limits),
      self_(member.endpoint_id()),
      targets_(1),
      peers_(shm::kEndpointsMax) {
  options_.push_back(std::make_unique<CallOptions>());
  function_names_.emplace_back(std::make_unique<std::string>());
}

Engine::~Engine() = default;

// Living peers only.
Peer* Engine::peer(uint32_t endpoint_id) {
  Peer* found = peers_[node::endpoint_index(endpoint_id)].get();
  return found != nullptr && found->endpoint_id == endpoint_id && !found->is_dead && found->channel
             ? found
             : nullptr;
}

Result<Peer*> Engine::add_peer(node::PeerFds fds) {
  std::unique_ptr<Peer>& place = peers_[node::endpoint_index(fds.endpoint_id)];
  if (place && place->endpoint_id == fds.endpoint_id && place->record != nullptr)
    return place.get();
  auto added = std::make_unique<Peer>();
  added->endpoint_id = fds.endpoint_id;
  Result<uint64_t> size = shm::sealed_file_size(fds.record.get());
  if (!size.is_ok()) return size.status();
  Result<shm::Mapping> mapping =
      shm::Mapping::map(fds.record.get(), 0, shm::kEndpointRecordBytes, shm::Access::kReadWrite);
  if (!mapping.is_ok()) return mapping.status();
  added->record_mapping = mapping.take();
  added->record = shm::EndpointRecord::open(added->record_mapping.data());
  if (added->record == nullptr)
    return Status(TBK_PROTOCOL, "a peer's record is not a record of this version");
  Result<std::unique_ptr<store::ArenaReader>> arena = store::ArenaReader::map(std::move(fds.arena));
  if (!arena.is_ok()) return arena.status();
  added->arena = arena.take();
  added->poll = std::move(fds.poll);
  added->keeper = std::move(fds.keeper);
  place = std::move(added);
  return place.get();
}

// Blocks while the hub introduces the two, once per pair.
Result<Peer*> Engine::ensure_peer(uint32_t endpoint_id) {
  if (Peer* found = peer(endpoint_id)) return found;
  if (is_closed_) return Status(TBK_CLOSED, closed_cause_);
  const Peer* known = peers_[node::endpoint_index(endpoint_id)].get();
  if (known != nullptr && known->endpoint_id == endpoint_id && known->is_dead)
    return Status(TBK_PEER_DEAD, known->cause);
  Result<UniqueFd> memory = channel::Channel::create_memory();
  if (!memory.is_ok()) return memory.status();
  if (endpoint_id == self_) {
    Result<Peer*> self = ensure_arena(self_);
    if (!self.is_ok()) return self.status();
    Result<std::unique_ptr<channel::Channel>> loop =
        channel::Channel::open(memory.value().get(), channel::kLoopbackSide);
    if (!loop.is_ok()) return loop.status();
    self.value()->channel = loop.take();
    return self.value();
  }
  Result<node::ConnectionFds> connection = member_.connect(endpoint_id, memory.take());
  if (!connection.is_ok()) return connection.status();
  on_connected(connection.take());
  if (Peer* found = peer(endpoint_id)) return found;
  return Status(TBK_PROTOCOL,
                "endpoint " + std::to_string(endpoint_id) + " offered memory that cannot be used");
}

void Engine::on_connected(node::ConnectionFds connection) {
  const uint32_t endpoint_id = connection.peer.endpoint_id;
  Result<Peer*> added = add_peer(std::move(connection.peer));
  if (!added.is_ok() || added.value()->channel)
    return;  // the same introduction twice, or a faulty peer: calls to it fail
  Result<std::unique_ptr<channel::Channel>> opened =
      channel::Channel::open(connection.channel.get(), connection.side);
  if (!opened.is_ok()) return;
  added.value()->channel = opened.take();
  // Frames may have arrived, and the doorbell may have been rung, before the introduction.
  drain(node::endpoint_index(endpoint_id));
}

// The arena of any endpoint, also of a dead one whose objects are still referenced.
Result<Peer*> Engine::ensure_arena(uint32_t endpoint_id) {
  std::unique_ptr<Peer>& place = peers_[node::endpoint_index(endpoint_id)];
  if (place && place->endpoint_id == endpoint_id && place->arena) return place.get();
  if (endpoint_id != self_) {
    Result<Peer*> connected = ensure_peer(endpoint_id);
    if (connected.is_ok() || connected.status().code() != TBK_PEER_DEAD) return connected;
  }
  Result<UniqueFd> fd = endpoint_id == self_ ? Result<UniqueFd>(UniqueFd(dup(arena_.fd())))
                                             : member_.open_arena(endpoint_id);
  if (!fd.is_ok()) return fd.status();
  Result<std::unique_ptr<store::ArenaReader>> arena = store::ArenaReader::map(fd.take());
  if (!arena.is_ok()) return arena.status();
  auto added = std::make_unique<Peer>();
  added->endpoint_id = endpoint_id;
  added->arena = arena.take();
  if (endpoint_id == self_) {
    added->record = &record_;
    added->poll.reset(dup(member_.poll_fd()));
    added->keeper.reset(dup(member_.keeper_fd()));
  } else {
    added->is_dead = true;
    added->cause = "the endpoint is gone";
  }
  place = std::move(added);
  return place.get();
}

void Engine::on_peer_joined(const node::PeerInfo& info) {
  static constexpr const char* kRoles[] = {"agent", "driver", "worker"};
  std::string text = std::string(info.role < 3 ? kRoles[info.role] : "unknown") + " " +
                     info.language + " " + info.token;
  events_.push_back({TBK_EVENT_PEER_JOINED, 0, info.endpoint_id, static_cast<uint32_t>(info.pid),
                     std::move(text)});
}

void Engine::on_peer_dead(uint32_t endpoint_id, const std::string& cause) {
  Peer* dead = peers_[node::endpoint_index(endpoint_id)].get();
  if (dead != nullptr && dead->endpoint_id == endpoint_id && !dead->is_dead && dead->channel &&
      !dead->is_faulty) {
    drain(node::endpoint_index(endpoint_id));  // what it completed before it died counts
  }
  dead = peers_[node::endpoint_index(endpoint_id)].get();
  if (dead != nullptr && dead->endpoint_id == endpoint_id) deliver_last_words(*dead);
  if (self_ == node::kAgentId) events_.push_back({TBK_EVENT_PEER_LEFT, 0, endpoint_id, 0, cause});
  if (dead == nullptr || dead->endpoint_id != endpoint_id) {
    // Connected in the hub's eyes, but its introduction could not be used here.
    member_.arena_unmapped(endpoint_id);
    return;
  }
  if (dead->is_dead) {
    if (std::exchange(dead->is_faulty, false)) count_arena_use(endpoint_id, -1);
    return;
  }
  dead->is_dead = true;
  dead->cause = cause;
  ++dead->arena_uses;  // keeps the record while it is being taken apart
  fail_in_flight(*dead);
  for (uint32_t number = 1; number < targets_.size(); ++number) {
    if (targets_[number]) on_target_peer_dead(number, *dead);
  }
  for (uint64_t handle = dead->incoming_head; handle != 0;) {
    IncomingCall& call = *incoming_.find(handle);
    const uint64_t next = call.next;
    if (call.is_delivered && call.is_cancelled) {
      // It has been told.
    } else if (call.is_delivered) {
      stop_incoming(handle, call, TBK_CANCEL_RECURSIVE);
    } else if (call.call != 0) {
      remove_incoming(handle);  // nobody is left to want the result; one-way calls are carried out
    }
    handle = next;
  }
  for (const auto& [ref, count] : std::exchange(dead->receptions, {})) unpin(ref);
  for (const auto& [ref, count] : std::exchange(dead->handovers, {})) unpin(ref);
  for (const auto& [key, count] : std::exchange(dead->held_objects, {})) {
    for (uint32_t i = 0; i < count; ++i) release_object(key);
  }
  std::vector<uint64_t> orphans;
  refs_.for_each([&](uint64_t ref, RefRecord& record) {
    if (!record.is_owned && record.name.owner() == endpoint_id &&
        (record.awaits_borrowed || record.state == RefRecord::State::kPending)) {
      orphans.push_back(ref);
    }
  });
  for (const uint64_t ref : orphans) {
    RefRecord* record = refs_.find(ref);
    if (record == nullptr) continue;
    if (record->state == RefRecord::State::kPending) {
      set_error(
          ref, *record, "OWNER_DIED",
          "the owner of the ref, endpoint " + std::to_string(endpoint_id) + ", is gone: " + cause);
    }
    on_borrowed(ref, *record, 0);
  }
  dead->channel.reset();
  dead->outbox.clear();
  run_settled();
  count_arena_use(endpoint_id, -1);
}

// Calls that want no reply are carried out, before anybody hears of the end.
void Engine::deliver_last_words(const Peer& dead) {
  std::vector<uint64_t> words;
  for (uint64_t handle = dead.incoming_head; handle != 0; handle = incoming_.find(handle)->next) {
    const IncomingCall& call = *incoming_.find(handle);
    // Those of a concurrency group keep their place in it.
    const bool is_free = inbox_.group_of(call.instance, call.function, 0) == kNoGroup;
    if (!call.is_delivered && call.call == 0 && is_free) words.push_back(handle);
  }
  for (auto next = words.rbegin(); next != words.rend(); ++next) emit(TBK_EVENT_CALL, *next);
}

// Forgets a dead peer when nothing here lies in its arena any more.
void Engine::collect_peer(uint32_t endpoint_id) {
  std::unique_ptr<Peer>& place = peers_[node::endpoint_index(endpoint_id)];
  std::erase(dirty_, place.get());
  retired_.push_back(std::move(place));
  member_.arena_unmapped(endpoint_id);
}

void Engine::fail_in_flight(Peer& dead) {
  while (dead.in_flight_head != 0) fail_or_retry(dead, dead.in_flight_head);
}

void Engine::fail_or_retry(Peer& dead, uint64_t result) {
  RefRecord& record = *refs_.find(result);
  if (record.is_cancelled)
    return fail_call(result, "CANCELLED",
                     "the call was cancelled, and its worker ended: " + dead.cause);
  const Target& to = *targets_[record.target];
  const bool is_agent = dead.endpoint_id == node::kAgentId;
  if (!is_agent && try_again(result, record, true)) return;
  if (is_agent) {
    fail_call(result, "NODE_LOST", "the node agent is gone: " + dead.cause);
  } else if (to.kind == Target::Kind::kTasks) {
    fail_call(result, "WORKER_DIED", "the worker that ran the task is gone: " + dead.cause);
  } else if (to.is_restartable) {
    fail_call(result, "ACTOR_UNAVAILABLE",
              "the actor died and may come back; the call may or may not have run: " + dead.cause);
  } else {
    fail_call(result, "ACTOR_DIED", "the actor is gone: " + dead.cause);
  }
}

void Engine::on_node_gone(const std::string& cause) {
  if (is_closed_) return;
  closed_cause_ = cause;
  std::vector<uint64_t> pending;
  refs_.for_each([&](uint64_t ref, RefRecord& record) {
    if (record.state == RefRecord::State::kPending) pending.push_back(ref);
  });
  is_closed_ = true;
  for (const uint64_t ref : pending) {
    RefRecord* record = refs_.find(ref);
    if (record == nullptr || record->state != RefRecord::State::kPending) continue;
    if (record->is_owned) {
      fail_call(ref, "NODE_LOST", "the session is over: " + cause);
    } else {
      set_error(ref, *record, "NODE_LOST", "the session is over: " + cause);
    }
  }
  run_settled();
  emit(TBK_EVENT_SHUTDOWN, 0);
}

const shm::EndpointRecord* Engine::recent_partner() const {
  if (recent_partner_ == kNoEndpoint) return nullptr;
  const Peer* partner = peers_[node::endpoint_index(recent_partner_)].get();
  return partner != nullptr && !partner->is_dead && partner->endpoint_id == recent_partner_
             ? partner->record
             : nullptr;
}

void Engine::fill(tbk_stats_t& out) const {
  const uint32_t size = out.size;
  out = counters_;
  out.size = size;
  out.calls_pending = calls_pending_;
  out.pending_bytes = pending_bytes_;
  out.refs_live = refs_.size();
  out.objects_live = arena_.objects_live();
  out.object_bytes = arena_.bytes_live();
}

}  // namespace thornback::call
