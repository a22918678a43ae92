// Submitting calls: targets, sending at once or queueing, and how a call ends.
#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "call/engine.h"
#include "call/engine_internal.h"
#include "call/msgpack.h"

namespace thornback::call {

using wire::FrameKind;
using wire::PayloadKind;

namespace {

// How long a call has for ending by itself before its worker is ended.
constexpr uint64_t kForceAfterNs = 100'000'000;

}  // namespace

uint32_t Engine::intern_function(std::string_view name) {
  const auto [found, is_new] = function_numbers_.try_emplace(
      std::string(name), static_cast<uint32_t>(function_names_.size()));
  if (is_new) function_names_.push_back(std::make_unique<std::string>(name));
  return found->second;
}

const std::string* Engine::function_name(uint32_t function) const {
  return function > 0 && function < function_names_.size() ? function_names_[function].get()
                                                           : nullptr;
}

Target* Engine::target(uint32_t number) {
  return number > 0 && number < targets_.size() ? targets_[number].get() : nullptr;
}

uint32_t Engine::add_target(Target::Kind kind) {
  uint32_t number = 1;
  while (number < targets_.size() && targets_[number]) ++number;
  if (number == targets_.size()) targets_.emplace_back();
  targets_[number] = std::make_unique<Target>();
  Target& added = *targets_[number];
  added.kind = kind;
  const bool is_tasks = kind == Target::Kind::kTasks;
  added.calls_max = is_tasks ? kTasksPendingMax : kActorCallsPendingMax;
  added.bytes_max = is_tasks ? kTaskBytesPendingMax : kActorBytesPendingMax;
  return number;
}

uint32_t Engine::open_endpoint_target(uint32_t endpoint_id, uint32_t instance) {
  const uint32_t number = add_target(Target::Kind::kEndpoint);
  targets_[number]->endpoint_id = endpoint_id;
  targets_[number]->instance = instance;
  return number;
}

Status Engine::open_actor_target(uint64_t address, const uint8_t* id, uint32_t& out) {
  RefRecord* record = refs_.find(address);
  if (record == nullptr) return {TBK_NOT_FOUND, "no such ref: it was released"};
  out = add_target(Target::Kind::kActor);
  Target& opened = *targets_[out];
  opened.state = Target::State::kResolving;
  opened.address = address;
  if (id != nullptr) {
    opened.is_restartable = true;
    std::copy_n(id, opened.id.size(), opened.id.begin());
  }
  pin(address);
  if (record->state == RefRecord::State::kReady) {
    resolve_target(out, address);
  } else {
    record->more().targets.push_back(out);
    if (!record->is_owned) subscribe(*record);
  }
  return Status::ok();
}

uint32_t Engine::agent_target() {
  if (agent_target_ == 0) agent_target_ = open_endpoint_target(node::kAgentId, 0);
  return agent_target_;
}

void Engine::tell_agent(std::string_view function, const std::vector<uint8_t>& args) {
  tbk_call_t call{};
  call.target = agent_target();
  call.function = intern_function(function);
  call.args.data = args.data();
  call.args.size = args.size();
  (void)submit(call);
}

void Engine::release_target(uint32_t number) {
  if (Target* released = target(number)) {
    released->is_released = true;
    collect_target(number);
  }
}

void Engine::collect_target(uint32_t number) {
  Target& old = *targets_[number];
  if (!old.is_released || old.unanswered > 0 || old.users > 0 || !old.queue.empty() ||
      old.lease_requests > 0)
    return;
  if (old.kind == Target::Kind::kTasks && !old.leases.empty())
    return;  // until they are returned as idle
  if (old.address != 0) {
    RefRecord* address = refs_.find(old.address);
    if (address->extra) std::erase(address->extra->targets, number);
    unpin(old.address);
  }
  targets_[number].reset();
}

// The address of an actor, or the answer to a lease request, has arrived.
void Engine::resolve_target(uint32_t number, uint64_t ref) {
  Target* resolved = target(number);
  if (resolved == nullptr) return;
  if (resolved->kind == Target::Kind::kTasks) return grant_lease(number, ref);
  const Blob& address = refs_.find(ref)->blob;
  if (address.is_error)
    return fail_target(number, {address.data(), address.data() + address.size()});
  const auto numbers = read_numbers(address.data(), address.size());
  if (!numbers || numbers->size() < 2) {
    return fail_target(
        number, encode_error("INTERNAL", "the address of an actor is not [endpoint id, instance]"));
  }
  resolved->endpoint_id = static_cast<uint32_t>((*numbers)[0]);
  resolved->instance = static_cast<uint32_t>((*numbers)[1]);
  resolved->state = Target::State::kReady;
  flush_target(number);
}

// Checks a call and puts large arguments into the store; `out` then holds everything that sending
// needs.
Status Engine::prepare(const tbk_call_t& call, Outgoing& out) {
  for (uint32_t i = 0; i < call.args.ref_count; ++i) {
    const RefRecord* argument = refs_.find(call.args.refs[i].ref);
    if (argument == nullptr)
      return {TBK_INVALID, "argument refs[" + std::to_string(i) + "] was released"};
    if (argument->stream() != nullptr)
      return {TBK_INVALID, "argument refs[" + std::to_string(i) + "] is a stream: pass its items"};
    if (argument->state == RefRecord::State::kReserved)
      return {TBK_INVALID, "argument refs[" + std::to_string(i) + "] was never submitted"};
  }
  out.result = call.result;
  out.function = call.function;
  out.flags = call.flags;
  out.options = call.options;
  out.deadline_ns = call.timeout_ns == 0 ? 0 : now_ns() + call.timeout_ns;
  out.refs = call.args.refs;
  out.ref_count = call.args.ref_count;
  out.data = call.args.data;
  out.size = call.args.size;
  if (call.args.buffer_token == 0 && call.args.size <= kInlineBytesMax) return Status::ok();
  out.is_stored = true;
  return stored_payload(call.args, out.stored, out.size);
}

Status Engine::submit(const tbk_call_t& call) {
  if (is_closed_) return {TBK_CLOSED, "the session is over: " + closed_cause_};
  Target* to = target(call.target);
  if (to == nullptr) return {TBK_INVALID, "no such target"};
  if (function_name(call.function) == nullptr) return {TBK_INVALID, "no such function number"};
  if (call.options >= options_.size()) return {TBK_INVALID, "no such call options"};
  const uint64_t bytes = call.result == 0 ? 0 : argument_bytes(call);
  if (call.result != 0) TBK_RETURN_IF_ERROR(admit(*to, call.target));
  RefRecord* result = call.result == 0 ? nullptr : refs_.find(call.result);
  if (call.result != 0 && (result == nullptr || result->state != RefRecord::State::kReserved)) {
    return {TBK_INVALID, "the result must be a reserved ref that was not submitted before"};
  }
  Outgoing out;
  TBK_RETURN_IF_ERROR(prepare(call, out));
  ++counters_.calls_submitted;
  if (call.parent != 0) adopt_parent(call, out);
  if (result != nullptr) {
    start_pending(*result, call.target, call.flags);
    result->pending_bytes = bytes;
    to->pending_bytes += bytes;
  }
  if (result != nullptr && out.deadline_ns != 0) {
    deadlines_.emplace(out.deadline_ns, call.result);
    want_alarm(out.deadline_ns);
  }
  if (to->state == Target::State::kDead) {
    discard(out);
    if (out.wants_reply()) fail_result(out.result, to->error.data(), to->error.size());
  } else {
    const uint32_t missing = out.ref_count == 0 ? 0 : arguments_missing(out);
    if (missing > 0 || !send_now(call.target, *to, out)) enqueue(call.target, *to, out, missing);
  }
  run_settled();
  return Status::ok();
}

void Engine::start_pending(RefRecord& record, uint32_t number, uint32_t flags) {
  record.state = RefRecord::State::kPending;
  record.target = number;
  ++record.pins;
  record.is_watched = (flags & TBK_CALL_WATCH) != 0;
  if ((flags & TBK_CALL_STREAM) != 0) record.more().stream = std::make_unique<StreamState>();
  ++targets_[number]->unanswered;
  ++calls_pending_;
}

uint32_t Engine::arguments_missing(const Outgoing& out) {
  uint32_t missing = 0;
  for (uint32_t i = 0; i < out.ref_count; ++i) {
    if ((out.refs[i].flags & TBK_REF_RESOLVE) == 0) continue;
    RefRecord& argument = *refs_.find(out.refs[i].ref);
    if (argument.state == RefRecord::State::kReady) continue;
    if (!argument.is_owned) subscribe(argument);
    if (argument.state != RefRecord::State::kReady) ++missing;
  }
  return missing;
}

// Whether a call stays here after it was sent, to be sent again if need be.
bool Engine::is_kept(const Outgoing& out) const {
  return out.wants_reply() && options(out.options).retries > 0;
}

// Whether the next call of the queue waits for its arguments.
bool Engine::is_held_up(Target& to) {
  const QueuedCall* first = queued_.find(to.queue.front());
  return first != nullptr && first->missing > 0;
}

// The short way: nothing is queued before this call and its arguments are there. False: it has to
// be queued.
bool Engine::send_now(uint32_t number, Target& to, Outgoing& out) {
  if (to.state != Target::State::kReady || is_kept(out)) return false;
  if (!to.queue.empty() && !(options(out.options).has(TBK_OPTION_UNORDERED) && is_held_up(to)))
    return false;
  if (take_argument_error(out)) return true;
  Lease* lease = nullptr;
  uint32_t endpoint_id = to.endpoint_id;
  if (to.kind == Target::Kind::kTasks) {
    lease = choose_lease(to);
    if (lease == nullptr) return false;
    endpoint_id = lease->endpoint_id;
  }
  Result<Peer*> peer = ensure_peer(endpoint_id);
  if (!peer.is_ok()) {
    if (to.kind != Target::Kind::kTasks) lose_actor(number, peer.status().text());
    if (to.state != Target::State::kDead) return false;
    discard(out);
    if (out.wants_reply()) fail_result(out.result, to.error.data(), to.error.size());
    return true;
  }
  const Sending sending = send_call(*peer.value(), to.instance, out);
  if (sending == Sending::kNoRoom) {
    wait_for_room(*peer.value(), number);
    return false;
  }
  if (sending == Sending::kSent && lease != nullptr) count_in_flight(*lease);
  return true;
}

void Engine::wait_for_room(Peer& to, uint32_t number) {
  if (std::find(to.waiting_targets.begin(), to.waiting_targets.end(), number) ==
      to.waiting_targets.end()) {
    to.waiting_targets.push_back(number);
  }
}

// A call whose argument is an error fails with that error. True if so.
bool Engine::take_argument_error(const Outgoing& out) {
  for (uint32_t i = 0; i < out.ref_count; ++i) {
    if ((out.refs[i].flags & TBK_REF_RESOLVE) == 0) continue;
    const Blob& value = refs_.find(out.refs[i].ref)->blob;
    if (!value.is_error) continue;
    const std::vector<uint8_t> error(value.data(), value.data() + value.size());
    discard(out);
    if (out.wants_reply()) fail_result(out.result, error.data(), error.size());
    return true;
  }
  return false;
}

void Engine::discard(const Outgoing& out) {
  if (out.is_stored) release_object(object_key(out.stored));
}

// The size of the frame's body. Values that do not fit inline are moved to the store on the way.
Status Engine::measure(const Outgoing& out, uint64_t& size) {
  size = sizeof(wire::CallFrame) + uint64_t{out.ref_count} * sizeof(wire::RefEntry) +
         (out.is_stored ? 0 : out.size);
  for (uint32_t i = 0; i < out.ref_count; ++i) {
    if ((out.refs[i].flags & TBK_REF_RESOLVE) == 0) continue;
    RefRecord& argument = *refs_.find(out.refs[i].ref);
    if (argument.blob.kind != Blob::Kind::kInline) continue;
    if (argument.blob.size() > kInlineBytesMax || !argument.blob.refs.empty()) {
      TBK_RETURN_IF_ERROR(promote(argument));
    } else {
      size += argument.blob.size();
    }
  }
  return Status::ok();
}

Engine::Sending Engine::send_call(Peer& to, uint32_t instance, Outgoing& out) {
  if (out.wants_reply() &&
      (to.calls_in_flight >= kCallsInFlightMax || to.bytes_in_flight > kBytesInFlightMax))
    return Sending::kNoRoom;
  const uint32_t group = options(out.options).group;
  if (!announce(to, out.function) || (group != 0 && !announce(to, group))) return Sending::kNoRoom;
  uint64_t size = 0;
  Status status = out.ref_count == 0 ? Status::ok() : measure(out, size);
  if (out.ref_count == 0) size = sizeof(wire::CallFrame) + (out.is_stored ? 0 : out.size);
  std::byte* body = status.is_ok() ? open_frame(to, FrameKind::Call, size, false) : nullptr;
  if (body == nullptr) {
    if (status.is_ok() && (size <= kFrameBytesMax || !to.outbox.empty())) return Sending::kNoRoom;
    discard(out);
    if (status.is_ok())
      status = Status(TBK_STORE_FULL, "no room in the store for the call's " +
                                          std::to_string(size) + " bytes of refs and arguments");
    if (out.wants_reply()) fail_call(out.result, error_code_of(status.code()), status.text());
    return Sending::kFailed;
  }
  write_call(body, to, instance, out);
  if (out.is_stored) {
    give_object(to, out.stored);
    counters_.bytes_shared += out.size;
  }
  if (out.wants_reply()) link_in_flight(to, out.result, size);
  recent_partner_ = to.endpoint_id;
  return Sending::kSent;
}

void Engine::write_call(std::byte* body, Peer& to, uint32_t instance, const Outgoing& out) {
  const PayloadKind kind = out.is_stored ? PayloadKind::Stored : PayloadKind::Inline;
  const uint8_t flags = out.is_stored && out.ref_count > 0 ? kPayloadCompanion : 0;
  const wire::Payload args(static_cast<uint8_t>(kind), flags, 0, out.ref_count, out.size,
                           out.is_stored ? own_storage(out.stored) : no_storage());
  FrameWriter writer(body);
  writer.write(wire::CallFrame(out.result, out.function, instance, out.flags,
                               options(out.options).group, out.deadline_ns, args));
  for (uint32_t i = 0; i < out.ref_count; ++i) {
    const tbk_ref_entry_t& entry = out.refs[i];
    const wire::RefId name = export_ref(entry.ref, to);
    wire::Payload value = no_payload();
    if ((entry.flags & TBK_REF_RESOLVE) != 0) {
      const Blob& blob = refs_.find(entry.ref)->blob;
      const bool is_inline = blob.kind == Blob::Kind::kInline;
      const uint8_t value_flags = blob.refs.empty() ? 0 : kPayloadCompanion;
      value =
          wire::Payload(static_cast<uint8_t>(is_inline ? PayloadKind::Inline : PayloadKind::Stored),
                        value_flags, 0, 0, blob.size(), is_inline ? no_storage() : blob.storage);
      if (!is_inline) counters_.bytes_shared += blob.size();
    }
    writer.write(wire::RefEntry(name, entry.flags, 0, value));
  }
  if (!out.is_stored) writer.bytes(out.data, out.size);
  for (uint32_t i = 0; i < out.ref_count; ++i) {
    if ((out.refs[i].flags & TBK_REF_RESOLVE) == 0) continue;
    const Blob& blob = refs_.find(out.refs[i].ref)->blob;
    if (blob.kind == Blob::Kind::kInline) writer.bytes(blob.data(), blob.size());
  }
}

// Tells the peer the function's name before its number is first used.
bool Engine::announce(Peer& to, uint32_t function) {
  if (function < to.functions_sent.size() && to.functions_sent[function]) return true;
  const std::string& name = *function_names_[function];
  std::byte* body =
      open_frame(to, FrameKind::Function, sizeof(wire::FunctionFrame) + name.size(), false);
  if (body == nullptr) return false;
  FrameWriter writer(body);
  writer.write(wire::FunctionFrame(function, static_cast<uint32_t>(name.size())));
  writer.bytes(name.data(), name.size());
  if (function >= to.functions_sent.size()) to.functions_sent.resize(function_names_.size(), false);
  to.functions_sent[function] = true;
  return true;
}

void Engine::link_in_flight(Peer& to, uint64_t result, uint64_t bytes) {
  RefRecord& record = *refs_.find(result);
  record.executor = to.endpoint_id;
  record.bytes_in_flight = static_cast<uint32_t>(std::min<uint64_t>(bytes, UINT32_MAX));
  record.previous_in_flight = 0;
  record.next_in_flight = to.in_flight_head;
  if (to.in_flight_head != 0) refs_.find(to.in_flight_head)->previous_in_flight = result;
  to.in_flight_head = result;
  ++to.calls_in_flight;
  to.bytes_in_flight += record.bytes_in_flight;
  if (target(record.target)->kind == Target::Kind::kTasks) record.sent_ns = now_ns();
}

void Engine::unlink_in_flight(uint64_t result, RefRecord& record) {
  Peer& executor = *peers_[node::endpoint_index(record.executor)];
  if (executor.in_flight_head == result) executor.in_flight_head = record.next_in_flight;
  if (record.previous_in_flight != 0)
    refs_.find(record.previous_in_flight)->next_in_flight = record.next_in_flight;
  if (record.next_in_flight != 0)
    refs_.find(record.next_in_flight)->previous_in_flight = record.previous_in_flight;
  --executor.calls_in_flight;
  executor.bytes_in_flight -= record.bytes_in_flight;
}

Status Engine::cancel(uint64_t result, uint32_t flags) {
  RefRecord* record = refs_.find(result);
  if (record == nullptr) return {TBK_NOT_FOUND, "no such ref: it was released"};
  if (StreamState* stream = record->stream()) {
    stream->closed = true;
    for (const uint64_t item : std::exchange(stream->items, {})) unpin(item);
  }
  if (record->state != RefRecord::State::kPending || !record->is_owned) return Status::ok();
  if (record->executor != kNoEndpoint) {
    record->is_cancelled = true;
    if (Peer* executor = peer(record->executor))
      send(*executor, FrameKind::Cancel, wire::CancelFrame(result, flags, 0));
    if ((flags & TBK_CANCEL_FORCE) != 0 && !std::exchange(record->is_forced, true)) {
      forced_.emplace(now_ns() + kForceAfterNs, result);
      want_alarm(forced_.begin()->first);
    }
  } else {
    const uint32_t number = record->target;
    fail_call(result, "CANCELLED", "the call was cancelled before it was sent");
    flush_target(number);  // calls may have waited behind it
    run_settled();
  }
  return Status::ok();
}

// The call is over, whatever its outcome: undoes everything that was kept for it.
void Engine::finish(uint64_t result, RefRecord& record) {
  const uint32_t number = record.target;
  if (record.executor != kNoEndpoint) {
    unlink_in_flight(result, record);
    if (targets_[number]->kind == Target::Kind::kTasks) on_task_done(record);
    record.executor = kNoEndpoint;
  }
  if (record.queued != 0) drop_queued(std::exchange(record.queued, 0));
  --calls_pending_;
  ++counters_.calls_completed;
  Target& to = *targets_[number];
  --to.unanswered;
  to.pending_bytes -= record.pending_bytes;
  if (to.full_since_ns != 0 || is_full_) look_for_room(to, number);
  collect_target(number);
}

void Engine::fail_result(uint64_t result, const uint8_t* error, uint64_t size) {
  RefRecord& record = *refs_.find(result);
  finish(result, record);
  record.blob.set_inline(error, size, true);
  if (StreamState* stream = record.stream()) end_stream(*stream, record.blob);
  set_ready(result, record);
  unpin(result);
}

void Engine::fail_call(uint64_t result, std::string_view code, const std::string& message) {
  const std::vector<uint8_t> error = encode_error(code, message);
  fail_result(result, error.data(), error.size());
}

void Engine::want_alarm(uint64_t time_ns) {
  if (next_alarm_ns_ == 0 || time_ns < next_alarm_ns_) next_alarm_ns_ = time_ns;
}

// The caller of an expired call is answered now; the callee is only told, because user code may not
// listen.
void Engine::expire_calls(uint64_t now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const uint64_t result = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const RefRecord* record = refs_.find(result);
    if (record == nullptr || record->state != RefRecord::State::kPending) continue;
    const uint32_t number = record->target;
    if (record->executor != kNoEndpoint) (void)cancel(result, TBK_CANCEL_RECURSIVE);
    fail_call(result, "DEADLINE_EXCEEDED", "the call's deadline passed before it had a result");
    flush_target(number);  // calls may have waited behind it
  }
  if (!deadlines_.empty()) want_alarm(deadlines_.begin()->first);
}

}  // namespace thornback::call
