// What may be pending at a target: refusing calls beyond it, and telling when there is room again.
#include <algorithm>

#include "base/clock.h"
#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

// Equal options get the same number, so that a binding may ask for them at every call it makes.
Status Engine::register_options(const tbk_call_options_t& given, uint32_t& out) {
  constexpr uint32_t kGroupBytesMax = 127;
  constexpr uint32_t kRetryOnBytesMax = 4096;
  constexpr size_t kOptionsMax = 65'536;
  if (given.group_size > kGroupBytesMax)
    return {TBK_INVALID, "options.group: longer than 127 bytes"};
  if (given.retry_on_size > kRetryOnBytesMax)
    return {TBK_INVALID, "options.retry_on: longer than 4,096 bytes"};
  const std::string_view group(given.group == nullptr ? "" : given.group, given.group_size);
  const std::string_view names(given.retry_on == nullptr ? "" : given.retry_on,
                               given.retry_on_size);
  std::string key(reinterpret_cast<const char*>(&given.flags),
                  sizeof given.flags + sizeof given.priority + sizeof given.retries);
  key += std::to_string(given.retry_delay_ns) + '\0' + std::string(group) + '\0';
  key += names;
  if (const auto known = option_numbers_.find(key); known != option_numbers_.end()) {
    out = known->second;
    return Status::ok();
  }
  if (options_.size() == kOptionsMax)
    return {TBK_INVALID, "there are 65,535 different call options already: use fewer values"};
  auto made = std::make_unique<CallOptions>();
  made->flags = given.flags;
  made->priority = given.priority;
  made->retries = given.retries;
  made->retry_delay_ns = given.retry_delay_ns;
  made->group = group.empty() ? 0 : intern_function(group);
  for (size_t at = 0; at < names.size();) {
    const size_t end = std::min(names.find('\n', at), names.size());
    if (end > at) made->retry_on.emplace_back(names.substr(at, end - at));
    at = end + 1;
  }
  out = static_cast<uint32_t>(options_.size());
  options_.push_back(std::move(made));
  option_numbers_.emplace(std::move(key), out);
  return Status::ok();
}

Status Engine::limit_target(uint32_t number, uint64_t calls_max, uint64_t bytes_max) {
  Target* limited = target(number);
  if (limited == nullptr) return {TBK_INVALID, "no such target"};
  if (calls_max != 0) limited->calls_max = calls_max;
  if (bytes_max != 0) limited->bytes_max = bytes_max;
  if (limited->full_since_ns != 0) look_for_room(*limited, number);
  return Status::ok();
}

uint64_t Engine::payload_bytes(const tbk_payload_t& payload) const {
  if (payload.buffer_token == 0) return payload.size;
  const store::ObjectName* buffer = buffers_.find(payload.buffer_token);
  if (buffer == nullptr) return 0;
  const auto stored = arena_.find(*buffer);
  return stored ? stored->size() : 0;
}

// Of the arguments themselves and of the values that refs among them stand for, as far as known.
uint64_t Engine::argument_bytes(const tbk_call_t& call) const {
  uint64_t bytes = payload_bytes(call.args);
  for (uint32_t i = 0; i < call.args.ref_count; ++i) {
    if ((call.args.refs[i].flags & TBK_REF_RESOLVE) == 0) continue;
    const RefRecord* argument = refs_.find(call.args.refs[i].ref);
    if (argument != nullptr && argument->state == RefRecord::State::kReady)
      bytes += argument->blob.size();
  }
  return bytes;
}

bool Engine::is_endpoint_full() const {
  return calls_pending_ >= limits_.pending_calls_max || pending_bytes_ > limits_.pending_bytes_max;
}

// Of what is pending already, not of what is to come: who was told that there is room may submit a
// call of any size.
bool Engine::is_full(const Target& to) {
  return to.unanswered > 0 && (to.unanswered >= to.calls_max || to.pending_bytes >= to.bytes_max);
}

// Refuses a call beyond the limits. One call always passes, however large.
Status Engine::admit(Target& to) {
  if (to.state == Target::State::kDead) return Status::ok();
  const bool is_endpoint_full = this->is_endpoint_full();
  const bool is_target_full = is_full(to);
  if (!is_endpoint_full && !is_target_full) return Status::ok();
  // What keeps the session going, and can end it.
  if (to.kind == Target::Kind::kEndpoint && to.endpoint_id == node::kAgentId && to.instance == 0)
    return Status::ok();
  ++to.refused;
  note_full(to);
  const uint64_t calls = is_target_full ? to.unanswered : calls_pending_;
  const uint64_t pending = is_target_full ? to.pending_bytes : pending_bytes_;
  return {TBK_BACK_PRESSURE,
          std::to_string(calls) + " calls with " + std::to_string(pending) +
              " bytes of arguments are pending" +
              (is_target_full ? " there (the limits are " + std::to_string(to.calls_max) +
                                    " calls and " + std::to_string(to.bytes_max) + " bytes)"
                              : " in this process") +
              ": wait for results, or for room, before submitting more"};
}

// From now on who wants room waits until half of the limit is free.
void Engine::note_full(Target& to) {
  is_full_ |= is_endpoint_full();
  if (to.full_since_ns == 0) to.full_since_ns = now_ns();
}

bool Engine::has_room(uint32_t number) {
  Target* to = target(number);
  if (to == nullptr || to->state == Target::State::kDead) return true;
  if (to->full_since_ns == 0 && (is_full(*to) || is_endpoint_full())) note_full(*to);
  return to->full_since_ns == 0;
}

Status Engine::ask_for_room(uint32_t number) {
  if (has_room(number)) return Status::ok();
  targets_[number]->is_room_wanted = true;
  return {TBK_WOULD_BLOCK, "the target's limit of pending calls is reached"};
}

void Engine::add_room_waiter(uint32_t number, Waiter* waiter) {
  if (Target* to = target(number)) to->room_waiters.push_back(waiter);
}

void Engine::remove_room_waiter(uint32_t number, Waiter* waiter) {
  if (Target* to = target(number)) std::erase(to->room_waiters, waiter);
}

// A call is over: once half of the limit is free, those who wait for room are told, so that they
// are woken for many calls and not for each.
void Engine::look_for_room(Target& to, uint32_t number) {
  if (is_full_) {
    if (calls_pending_ * 2 > limits_.pending_calls_max ||
        pending_bytes_ * 2 > limits_.pending_bytes_max)
      return;
    is_full_ = false;
    for (uint32_t other = 1; other < targets_.size(); ++other) {
      if (other != number && targets_[other]) look_for_room(*targets_[other], other);
    }
  }
  if (to.full_since_ns == 0 || to.unanswered * uint64_t{2} > to.calls_max ||
      to.pending_bytes * 2 > to.bytes_max)
    return;
  give_room(to, number);
}

void Engine::give_room(Target& to, uint32_t number) {
  to.throttled_ns += now_ns() - std::exchange(to.full_since_ns, 0);
  has_notified_ = true;
  for (Waiter* waiter : to.room_waiters) waiter->condition.notify_one();
  if (std::exchange(to.is_room_wanted, false)) emit(TBK_EVENT_ROOM, number);
}

Status Engine::fill(uint32_t number, tbk_target_stats_t& out) {
  const Target* to = target(number);
  if (to == nullptr) return {TBK_INVALID, "no such target"};
  out.calls_pending = to->unanswered;
  out.bytes_pending = to->pending_bytes;
  out.calls_max = to->calls_max;
  out.bytes_max = to->bytes_max;
  out.refused = to->refused;
  out.throttled_ns = to->throttled_ns + (to->full_since_ns == 0 ? 0 : now_ns() - to->full_since_ns);
  return Status::ok();
}

}  // namespace thornback::call
