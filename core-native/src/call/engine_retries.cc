// Calls that are sent again, actors that come back, and calls that end with the call in which they
// were made.
#include <algorithm>
#include <random>

#include "base/clock.h"
#include "call/engine.h"
#include "call/engine_internal.h"
#include "call/error_value.h"
#include "call/msgpack.h"

namespace thornback::call {
namespace {

constexpr uint32_t kDoublingsMax = 6;

// Before the retry that follows so many failures; up to a quarter less by chance, so that calls
// that failed together do not come back together.
uint64_t delay_before(const CallOptions& options, uint32_t failures) {
  if (options.retry_delay_ns == 0) return 0;
  static thread_local std::minstd_rand random(static_cast<uint32_t>(now_ns()));
  const uint64_t delay = options.retry_delay_ns << std::min(failures - 1, kDoublingsMax);
  return delay - random() % (delay / 4 + 1);
}

bool names_class(const std::string& wanted, std::string_view name) {
  if (name == wanted) return true;
  const size_t dot = name.rfind('.');
  return dot != std::string_view::npos && name.substr(dot + 1) == wanted;
}

}  // namespace

// The call inside which this one is made: its deadline holds here too.
void Engine::adopt_parent(const tbk_call_t& call, Outgoing& out) {
  IncomingCall* parent = incoming_.find(call.parent);
  if (parent == nullptr) return;
  if (parent->deadline_ns != 0)
    out.deadline_ns =
        out.deadline_ns == 0 ? parent->deadline_ns : std::min(out.deadline_ns, parent->deadline_ns);
  if (call.result == 0) return;
  if (parent->children.size() == parent->children_max) {
    forget_finished(*parent);
    parent->children_max = std::max<size_t>(16, 2 * parent->children.size());
  }
  parent->children.push_back(call.result);
  want_probes();
}

void Engine::forget_finished(IncomingCall& parent) {
  std::erase_if(parent.children, [this](uint64_t child) {
    const RefRecord* record = refs_.find(child);
    return record == nullptr || record->state != RefRecord::State::kPending;
  });
}

bool Engine::is_retryable_error(const RefRecord& record, const Blob& error) const {
  const QueuedCall* kept = record.queued == 0 ? nullptr : queued_.find(record.queued);
  if (kept == nullptr || !options(kept->options).has(TBK_OPTION_RETRY_ERRORS)) return false;
  const ErrorHead head = read_error_head(error.data(), error.size());
  if (head.code != "REMOTE_ERROR") return false;
  const std::vector<std::string>& names = options(kept->options).retry_on;
  return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& each) {
           return names_class(each, head.name);
         });
}

// The attempt has failed, and the call is to be sent again. False: it is not to, and fails.
bool Engine::try_again(uint64_t result, RefRecord& record, bool at_once) {
  QueuedCall* call = record.queued == 0 ? nullptr : queued_.find(record.queued);
  if (call == nullptr || is_closed_ || record.is_cancelled) return false;
  const CallOptions& wish = options(call->options);
  if (call->attempts >= wish.retries) return false;
  // Items that the consumer has seen cannot be taken back.
  if (const StreamState* stream = record.stream(); stream != nullptr && stream->has_begun)
    return false;
  ++call->attempts;
  unlink_in_flight(result, record);
  if (targets_[record.target]->kind == Target::Kind::kTasks) on_task_done(record);
  record.executor = kNoEndpoint;
  const uint64_t delay = delay_before(wish, call->attempts);
  if (delay == 0) {
    requeue(record.queued, at_once);
  } else {
    delayed_.emplace(now_ns() + delay, record.queued);
    want_alarm(delayed_.begin()->first);
  }
  return true;
}

// The worker has returned a task that it had not started.
bool Engine::take_back(uint64_t result, RefRecord& record) {
  if (record.queued == 0) return false;
  unlink_in_flight(result, record);
  Target& to = *targets_[record.target];
  if (Lease* lease = find_lease(to, record.executor)) {
    // What keeps the worker busy may be no call that is pending here: only trying tells when it is
    // over.
    if (--lease->in_flight == 0) lease->is_stalled = false;
    rest_lease(to, *lease);
  }
  record.executor = kNoEndpoint;
  if (record.is_cancelled) {
    fail_call(result, "CANCELLED", "the call was cancelled before it was started");
  } else {
    requeue(record.queued, true);
  }
  return true;
}

// `in_front`: the first of those that were sent; its target is looked at when all are back
// (run_settled).
void Engine::requeue(uint64_t queued, bool in_front) {
  const QueuedCall& call = *queued_.find(queued);
  Target& to = *targets_[call.target];
  if (fail_on_dead(to, queued)) return;
  if (in_front) {
    to.queue.push_front(queued, rank(to, call));
  } else {
    to.queue.push_back(queued, rank(to, call));
  }
  if (!to.is_refilled) {
    to.is_refilled = true;
    refilled_.push_back(call.target);
  }
}

void Engine::start_delayed(uint64_t now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const uint64_t queued = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    if (queued_.find(queued) != nullptr) requeue(queued, false);
  }
  if (!delayed_.empty()) want_alarm(delayed_.begin()->first);
}

// The endpoint of an actor is gone or cannot be reached.
void Engine::lose_actor(uint32_t number, const std::string& cause) {
  Target& to = *targets_[number];
  const bool is_agent = to.endpoint_id == node::kAgentId;
  if (to.is_restartable && !is_closed_ && ensure_peer(node::kAgentId).is_ok())
    return ask_for_address(number, to);
  fail_target(number, encode_error(
                          is_agent ? "NODE_LOST" : "ACTOR_DIED",
                          (is_agent ? "the node agent is gone: " : "the actor is gone: ") + cause));
}

// Calls wait until the agent says where the next incarnation is, or why there is none.
void Engine::ask_for_address(uint32_t number, Target& to) {
  to.state = Target::State::kResolving;
  MsgpackWriter args;
  args.array(2);
  args.binary(to.id.data(), static_cast<uint8_t>(to.id.size()));
  args.number(to.endpoint_id);
  tbk_call_t call{};
  call.result = reserve();
  call.target = agent_target();
  call.function = intern_function("agent::actor_address");
  call.args.data = args.bytes().data();
  call.args.size = args.bytes().size();
  RefRecord& old = *refs_.find(to.address);
  if (old.extra) std::erase(old.extra->targets, number);
  unpin(std::exchange(to.address, call.result));
  refs_.find(call.result)->more().targets.push_back(number);
  if (const Status status = submit(call); !status.is_ok())
    set_error(call.result, *refs_.find(call.result), error_code_of(status.code()), status.text());
}

// Calls that were to be ended by force and have not ended by themselves: their workers are.
void Engine::force_ends(uint64_t now) {
  while (!forced_.empty() && forced_.begin()->first <= now) {
    const RefRecord* record = refs_.find(forced_.begin()->second);
    forced_.erase(forced_.begin());
    if (record == nullptr || record->state != RefRecord::State::kPending ||
        record->executor == kNoEndpoint || targets_[record->target]->kind != Target::Kind::kTasks)
      continue;
    MsgpackWriter args;
    args.array(2);
    args.number(record->executor);
    args.text("a task was cancelled by force");
    tell_agent("agent::end_worker", args.bytes());
  }
  if (!forced_.empty()) want_alarm(forced_.begin()->first);
}

}  // namespace thornback::call
