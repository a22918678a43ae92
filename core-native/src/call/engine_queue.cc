// Calls that wait in this process: for their arguments, for the actor's address, for a worker, or
// for room.
#include <algorithm>

#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

// Keeps a call: its bytes are copied, its refs pinned.
void Engine::enqueue(uint32_t number, Target& to, const Outgoing& out, uint32_t missing) {
  const uint64_t handle = queued_.insert();
  QueuedCall& queued = *queued_.find(handle);
  queued.result = out.result;
  queued.target = number;
  queued.function = out.function;
  queued.flags = out.flags;
  queued.deadline_ns = out.deadline_ns;
  queued.options = out.options;
  queued.missing = missing;
  if (out.is_stored) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(arena_.find(out.stored)->data());
    queued.args.set_stored(own_storage(out.stored), bytes, out.size, false, true);
  } else {
    queued.args.set_inline(out.data, out.size, false);
    pending_bytes_ += out.size;
  }
  queued.args.refs.assign(out.refs, out.refs + out.ref_count);
  for (uint32_t i = 0; i < out.ref_count; ++i) {
    pin(out.refs[i].ref);
    if (missing == 0 || (out.refs[i].flags & TBK_REF_RESOLVE) == 0) continue;
    RefRecord& argument = *refs_.find(out.refs[i].ref);
    if (argument.state != RefRecord::State::kReady) argument.more().dependents.push_back(handle);
  }
  if (out.result != 0) refs_.find(out.result)->queued = handle;
  if (missing == 0 || !overtakes(to, queued)) to.queue.push_back(handle, rank(to, queued));
  if (missing == 0 && (to.kind == Target::Kind::kTasks || is_kept(out))) flush_target(number);
}

// Whether this call stands in the queue only once its arguments are there, so that later ones pass.
bool Engine::overtakes(const Target& to, const QueuedCall& call) const {
  return to.kind == Target::Kind::kTasks || options(call.options).has(TBK_OPTION_UNORDERED);
}

// Tasks wait in order of their priority. At an actor, calls that are sent again come first: those
// that wait in order may wait for the result of just such a call. Then calls that may overtake.
int32_t Engine::rank(const Target& to, const QueuedCall& call) const {
  if (to.kind == Target::Kind::kTasks) return options(call.options).priority;
  if (call.attempts > 0) return 2;
  return overtakes(to, call) ? 1 : 0;
}

// All arguments of a queued call are there.
void Engine::queue_ready(uint64_t handle) {
  const QueuedCall& call = *queued_.find(handle);
  const uint32_t number = call.target;
  Target& to = *targets_[number];
  if (fail_on_dead(to, handle)) return;
  if (overtakes(to, call)) to.queue.push_back(handle, rank(to, call));
  flush_target(number);
}

// A call that stood in no queue when its target died fails when it would be sent. True if so.
bool Engine::fail_on_dead(Target& to, uint64_t handle) {
  if (to.state != Target::State::kDead) return false;
  const uint64_t result = queued_.find(handle)->result;
  if (result == 0) {
    drop_queued(handle);
  } else {
    fail_result(result, std::vector<uint8_t>(to.error).data(), to.error.size());
  }
  return true;
}

void Engine::flush_target(uint32_t number) {
  Target* to = target(number);
  if (to == nullptr || to->state != Target::State::kReady) return;
  if (to->kind == Target::Kind::kTasks) return dispatch_tasks(number);
  while (!to->queue.empty()) {
    const uint64_t handle = to->queue.front();
    const QueuedCall* queued = queued_.find(handle);
    if (queued == nullptr) {  // cancelled
      to->queue.pop_front();
      continue;
    }
    if (queued->missing > 0)
      return;  // later calls wait as well: the order of an actor's calls is theirs
    Result<Peer*> peer = ensure_peer(to->endpoint_id);
    if (!peer.is_ok()) return lose_actor(number, peer.status().text());
    to->queue.pop_front();
    if (send_queued(handle, *peer.value(), to->instance) == Sending::kNoRoom) {
      to->queue.push_front(handle, rank(*to, *queued_.find(handle)));
      return wait_for_room(*peer.value(), number);
    }
    to = target(number);
    if (to == nullptr) return;
  }
  collect_target(number);
}

Engine::Sending Engine::send_queued(uint64_t handle, Peer& to, uint32_t instance) {
  QueuedCall& queued = *queued_.find(handle);
  Outgoing out;
  out.result = queued.result;
  out.function = queued.function;
  out.flags = queued.flags;
  out.options = queued.options;
  out.deadline_ns = queued.deadline_ns;
  out.refs = queued.args.refs.data();
  out.ref_count = static_cast<uint32_t>(queued.args.refs.size());
  out.size = queued.args.size();
  out.is_stored = queued.args.kind == Blob::Kind::kStored;
  if (out.is_stored) {
    out.stored = {queued.args.storage.slot(), queued.args.storage.generation()};
  } else {
    out.data = queued.args.data();
  }
  if (out.result != 0) refs_.find(out.result)->queued = 0;
  Sending sending = Sending::kFailed;
  if (!take_argument_error(out)) sending = send_call(to, instance, out);
  if (sending == Sending::kNoRoom) {
    if (out.result != 0) refs_.find(out.result)->queued = handle;
    return sending;
  }
  if (sending == Sending::kSent && is_kept(out)) {
    refs_.find(out.result)->queued = handle;
    if (out.is_stored) ++extra_holds_[object_key(out.stored)];
    return sending;
  }
  queued.args.holds = false;  // the hold went to the peer, or was given back with the failure
  drop_queued(handle);
  return sending;
}

void Engine::drop_queued(uint64_t handle) {
  QueuedCall* queued = queued_.find(handle);
  if (queued == nullptr) return;
  if (queued->args.kind == Blob::Kind::kInline) pending_bytes_ -= queued->args.size();
  if (is_full_) look_for_room(*targets_[queued->target], queued->target);
  Blob args = std::move(queued->args);
  queued_.erase(handle);
  drop(args);
}

// The actor is gone or was never made: its queued calls and all later ones fail with this error.
void Engine::fail_target(uint32_t number, std::vector<uint8_t> error) {
  Target& dead = *targets_[number];
  dead.state = Target::State::kDead;
  dead.error = std::move(error);
  // Calls that wait for the time of their next attempt would never be sent.
  std::erase_if(delayed_, [&](const auto& entry) {
    const QueuedCall* call = queued_.find(entry.second);
    if (call == nullptr || call->target != number) return false;
    dead.queue.push_back(entry.second);
    return true;
  });
  ++dead.users;
  fail_queued(dead, dead.error);
  --dead.users;
  if (dead.full_since_ns != 0) give_room(dead, number);
  collect_target(number);
}

void Engine::fail_queued(Target& to, const std::vector<uint8_t>& error) {
  CallList queue = std::exchange(to.queue, {});
  for (; !queue.empty(); queue.pop_front()) {
    const uint64_t handle = queue.front();
    const QueuedCall* queued = queued_.find(handle);
    if (queued == nullptr) continue;
    if (queued->result == 0) {
      drop_queued(handle);
    } else {
      fail_result(queued->result, error.data(), error.size());
    }
  }
}

void Engine::on_target_peer_dead(uint32_t number, const Peer& dead) {
  Target& to = *targets_[number];
  if (to.kind == Target::Kind::kTasks) {
    std::erase_if(to.leases,
                  [&](const Lease& lease) { return lease.endpoint_id == dead.endpoint_id; });
    if (!to.queue.empty()) dispatch_tasks(number);
  } else if (to.endpoint_id == dead.endpoint_id && to.state == Target::State::kReady) {
    lose_actor(number, dead.cause);
  }
}

}  // namespace thornback::call
