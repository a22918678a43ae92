// Submitting calls, sending them at once or queueing them, and how a call ends.
#include "base/clock.h"
#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

using wire::FrameKind;

namespace {

// How long a call has for ending by itself before its worker is ended.
constexpr uint64_t kForceAfterNs = 100'000'000;

}  // namespace

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
  if (call.result != 0) TBK_RETURN_IF_ERROR(admit(*to));
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
    forget_deadlines();
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

// Most calls end long before their deadline: what is kept of those is no more than of the others.
void Engine::forget_deadlines() {
  if (deadlines_.size() <= 2 * calls_pending_ + 1024) return;
  std::erase_if(deadlines_, [this](const auto& deadline) {
    const RefRecord* record = refs_.find(deadline.second);
    return record == nullptr || record->state != RefRecord::State::kPending;
  });
}

void Engine::want_alarm(uint64_t time_ns) {
  if (next_alarm_ns_ == 0 || time_ns < next_alarm_ns_) next_alarm_ns_ = time_ns;
}

// The caller is answered now; the callee is only told, because user code may not listen.
void Engine::give_up(uint64_t result, std::string_view code, const std::string& message) {
  const RefRecord& record = *refs_.find(result);
  const uint32_t number = record.target;
  Target& to = *targets_[number];
  if (record.executor != kNoEndpoint) {
    (void)cancel(result, TBK_CANCEL_RECURSIVE);
    if (to.kind == Target::Kind::kTasks) {
      if (Lease* lease = find_lease(to, record.executor)) ++lease->abandoned;
    }
  }
  fail_call(result, code, message);
  flush_target(number);  // calls may have waited behind it
}

// Of a call that was given up: a task's worker is free again.
void Engine::on_late_reply(const Peer& from) {
  for (uint32_t number = 1; number < targets_.size(); ++number) {
    if (!targets_[number] || targets_[number]->kind != Target::Kind::kTasks) continue;
    Lease* lease = find_lease(*targets_[number], from.endpoint_id);
    if (lease == nullptr || lease->abandoned == 0) continue;
    --lease->abandoned;
    rest_lease(*targets_[number], *lease);
    return flush_target(number);
  }
}

void Engine::expire_calls(uint64_t now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const uint64_t result = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const RefRecord* record = refs_.find(result);
    if (record == nullptr || record->state != RefRecord::State::kPending) continue;
    give_up(result, "DEADLINE_EXCEEDED", "the call's deadline passed before it had a result");
  }
  if (!deadlines_.empty()) want_alarm(deadlines_.begin()->first);
}

}  // namespace thornback::call
