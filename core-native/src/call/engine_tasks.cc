// Tasks: leases of workers per shape, and pushing tasks straight to the leased workers.
//
// How many tasks wait at a worker depends on how long they take: about half a millisecond of work,
// so that short tasks keep a worker busy between two pushes and long ones never queue behind each
// other. A task that is long unexpectedly holds up those that were sent behind it: they are called
// back and go to others.
#include <algorithm>

#include "base/clock.h"
#include "call/engine.h"
#include "call/engine_internal.h"
#include "call/msgpack.h"

namespace thornback::call {
namespace {

constexpr uint64_t kWorkAheadNs = 500'000;
constexpr uint64_t kTasksAheadMax = 256;
constexpr uint64_t kStalledNs = 3'000'000;
constexpr uint64_t kLeaseSliceNs = 200'000'000;

}  // namespace

uint32_t Engine::open_task_target(std::vector<uint8_t> shape) {
  const uint32_t number = add_target(Target::Kind::kTasks);
  targets_[number]->shape = std::move(shape);
  return number;
}

uint32_t Engine::lease_depth(const Target& to) const {
  if (to.task_ns == 0) return 1;
  return static_cast<uint32_t>(std::clamp<uint64_t>(kWorkAheadNs / to.task_ns, 1, kTasksAheadMax));
}

Lease* Engine::choose_lease(Target& to) {
  Lease* best = nullptr;
  for (Lease& lease : to.leases) {
    if (lease.is_stalled || lease.is_expired || lease.abandoned > 0) continue;
    if (best == nullptr || lease.in_flight < best->in_flight) best = &lease;
  }
  return best != nullptr && best->in_flight < lease_depth(to) ? best : nullptr;
}

// The second task at a worker is one that can be held up.
void Engine::count_in_flight(Lease& lease) {
  const uint32_t count = ++lease.in_flight;
  if (count == 1) lease.busy_since_ns = now_ns();
  if (count == 2) want_alarm(std::max(lease.last_reply_ns, lease.busy_since_ns) + kStalledNs);
}

Lease* Engine::find_lease(Target& to, uint32_t endpoint_id) {
  for (Lease& lease : to.leases) {
    if (lease.endpoint_id == endpoint_id) return &lease;
  }
  return nullptr;
}

void Engine::dispatch_tasks(uint32_t number) {
  Target& to = *targets_[number];
  ++to.users;
  while (!to.queue.empty()) {
    const uint64_t handle = to.queue.front();
    if (queued_.find(handle) == nullptr) {  // cancelled
      to.queue.pop_front();
      continue;
    }
    Lease* lease = choose_lease(to);
    if (lease == nullptr) break;
    const uint32_t endpoint_id = lease->endpoint_id;
    Result<Peer*> peer = ensure_peer(endpoint_id);
    if (!peer.is_ok()) {
      std::erase_if(to.leases, [&](const Lease& gone) { return gone.endpoint_id == endpoint_id; });
      continue;
    }
    to.queue.pop_front();
    count_in_flight(*lease);
    const Sending sending = send_queued(handle, *peer.value(), 0);
    if (sending == Sending::kSent) continue;
    if (Lease* same = find_lease(to, endpoint_id)) --same->in_flight;
    if (sending == Sending::kFailed) continue;
    to.queue.push_front(handle, rank(to, *queued_.find(handle)));
    wait_for_room(*peer.value(), number);
    break;
  }
  request_leases(number, to);
  --to.users;
}

// Asks the agent for workers, as many as could be busy with what is queued.
void Engine::request_leases(uint32_t number, Target& to) {
  const uint64_t useful = std::min<uint64_t>(to.queue.size(), member_.board().cpu_count);
  if (to.leases.empty() && to.lease_requests == 0 && useful > 0) {
    // Workers that idle for other shapes may hold the CPUs that this one asks for.
    for (uint32_t other = 1; other < targets_.size(); ++other) {
      if (other != number && targets_[other] && targets_[other]->kind == Target::Kind::kTasks)
        return_idle_leases(other, 0);
    }
  }
  while (!is_closed_ && to.lease_requests < useful &&
         to.leases.size() + to.lease_requests < member_.board().cpu_count) {
    MsgpackWriter args;
    args.array(1);
    args.raw({reinterpret_cast<const char*>(to.shape.data()), to.shape.size()});
    tbk_call_t call{};
    call.result = reserve();
    refs_.find(call.result)->more().targets.push_back(number);
    call.target = agent_target();
    call.function = intern_function("agent::lease");
    call.args.data = args.bytes().data();
    call.args.size = args.bytes().size();
    ++to.lease_requests;
    const Status status = submit(call);
    if (status.is_ok()) continue;
    set_error(call.result, *refs_.find(call.result), error_code_of(status.code()), status.text());
  }
}

void Engine::grant_lease(uint32_t number, uint64_t answer) {
  Target& to = *targets_[number];
  --to.lease_requests;
  const Blob& value = refs_.find(answer)->blob;
  const auto numbers = value.is_error ? std::nullopt : read_numbers(value.data(), value.size());
  if (numbers && !numbers->empty()) {
    const uint64_t now = now_ns();
    to.leases.push_back({static_cast<uint32_t>((*numbers)[0]), 0, 0, now});
    to.leases.back().expires_ns = now + kLeaseSliceNs;
    want_alarm(now + (to.queue.empty() ? kLeaseIdleNs : kLeaseSliceNs));
    unpin(answer);
    dispatch_tasks(number);
    return;
  }
  std::vector<uint8_t> error(value.data(), value.data() + value.size());
  if (!value.is_error)
    error = encode_error("INTERNAL",
                         "the agent's answer to a lease request is not [endpoint id, instance]");
  unpin(answer);
  // With other workers at hand the tasks go on; without any they would wait for ever.
  if (to.leases.empty() && to.lease_requests == 0) {
    ++to.users;
    fail_queued(to, error);
    --to.users;
  }
  collect_target(number);
}

void Engine::on_task_done(RefRecord& record) {
  Target& to = *targets_[record.target];
  Lease* lease = find_lease(to, record.executor);
  if (lease == nullptr) return;
  const uint64_t now = now_ns();
  const uint64_t took = std::max<uint64_t>(1, now - std::max(record.sent_ns, lease->last_reply_ns));
  to.task_ns = to.task_ns == 0 ? took : (7 * to.task_ns + took) / 8;
  lease->last_reply_ns = now;
  // Those behind it that have not come back yet can be held up by the next one.
  if (std::exchange(lease->is_stalled, false)) want_alarm(now + kStalledNs);
  --lease->in_flight;
  rest_lease(to, *lease);
  if (!to.queue.empty()) dispatch_tasks(record.target);
}

void Engine::on_alarm(uint64_t now) {
  next_alarm_ns_ = 0;
  expire_calls(now);
  force_ends(now);
  start_delayed(now);
  send_probes(now);
  relieve_leases(now);
  expire_leases(now);
  return_all_idle_leases(kLeaseIdleNs);
  run_settled();
}

// Calls back what waits behind tasks that take long.
void Engine::relieve_leases(uint64_t now) {
  for (uint32_t number = 1; number < targets_.size(); ++number) {
    if (!targets_[number] || targets_[number]->kind != Target::Kind::kTasks) continue;
    for (Lease& lease : targets_[number]->leases) {
      const uint32_t before = lease.abandoned > 0 ? 0 : 1;
      if (lease.in_flight <= before || lease.is_stalled) continue;
      const uint64_t due = std::max(lease.last_reply_ns, lease.busy_since_ns) + kStalledNs;
      if (now < due) {
        want_alarm(due);
        continue;
      }
      lease.is_stalled = true;
      if (Peer* worker = peer(lease.endpoint_id)) call_back(number, *worker);
    }
  }
}

void Engine::call_back(uint32_t number, Peer& worker) {
  for (uint64_t result = worker.in_flight_head; result != 0;) {
    const RefRecord& record = *refs_.find(result);
    if (record.target == number && record.queued != 0 && !record.is_cancelled)
      send(worker, wire::FrameKind::Cancel, wire::CancelFrame(result, kCancelCallBack, 0));
    result = record.next_in_flight;
  }
}

void Engine::give_back_leases() {
  return_all_idle_leases(0);
  flush();
}

void Engine::return_all_idle_leases(uint64_t idle_ns) {
  for (uint32_t number = 1; number < targets_.size(); ++number) {
    if (targets_[number] && targets_[number]->kind == Target::Kind::kTasks)
      return_idle_leases(number, idle_ns);
  }
}

// Returns the leases that have been idle for `idle_ns`.
void Engine::return_idle_leases(uint32_t number, uint64_t idle_ns) {
  Target& to = *targets_[number];
  const uint64_t now = now_ns();
  for (size_t i = 0; i < to.leases.size();) {
    const Lease& lease = to.leases[i];
    if (!lease.is_idle() || now < lease.idle_since_ns + idle_ns) {
      if (lease.is_idle()) want_alarm(lease.idle_since_ns + kLeaseIdleNs);
      ++i;
      continue;
    }
    return_lease(to, i);
  }
  collect_target(number);
}

// One call less is at the worker of this lease; it may be gone afterwards.
void Engine::rest_lease(Target& to, Lease& lease) {
  if (!lease.is_idle()) return;
  if (lease.is_expired) return return_lease(to, static_cast<size_t>(&lease - to.leases.data()));
  lease.idle_since_ns = now_ns();
  want_alarm(lease.idle_since_ns + kLeaseIdleNs);
}

void Engine::return_lease(Target& to, size_t index) {
  MsgpackWriter args;
  args.array(1);
  args.number(to.leases[index].endpoint_id);
  to.leases.erase(to.leases.begin() + static_cast<std::ptrdiff_t>(index));
  tell_agent("agent::release", args.bytes());
}

// A lease ends after a while although there is work for it: others, in this process and elsewhere,
// may wait for its CPU, and the agent serves them in turn.
void Engine::expire_leases(uint64_t now) {
  for (uint32_t number = 1; number < targets_.size(); ++number) {
    if (!targets_[number] || targets_[number]->kind != Target::Kind::kTasks) continue;
    Target& to = *targets_[number];
    for (size_t i = to.leases.size(); i-- > 0;) {
      Lease& lease = to.leases[i];
      if (lease.is_idle() && to.queue.empty()) continue;
      if (now < lease.expires_ns) {
        want_alarm(lease.expires_ns);
      } else {
        lease.is_expired = true;
        if (lease.is_idle()) return_lease(to, i);
      }
    }
    if (!to.queue.empty()) request_leases(number, to);
  }
}

}  // namespace thornback::call
