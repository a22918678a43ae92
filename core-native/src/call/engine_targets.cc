// Targets: where calls go, from being opened to being forgotten.
#include <algorithm>

#include "call/engine.h"
#include "call/engine_internal.h"
#include "call/msgpack.h"

namespace thornback::call {

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

}  // namespace thornback::call
