// Calls that wait for each other in a circle. A call that has waited for a second for one made
// inside it sends a probe after that one; whoever executes it passes the probe on to what it waits
// for in turn, or, when the call has not been started, to what keeps it from starting. A probe that
// comes back to where it began has found a circle, and the endpoint with the lowest id in it fails
// its call, so that one error, not several, opens the circle.
//
// Only what can never go on is followed: a call that waits for one of several places in a
// concurrency group may get another.
#include <algorithm>

#include "base/clock.h"
#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

using wire::FrameKind;

namespace {

constexpr uint64_t kProbeNs = 1'000'000'000;
constexpr uint32_t kHopsMax = 32;
constexpr uint32_t kProbesMax = 64;  // of one round
constexpr uint64_t kTextMax = 8 * 1024;

}  // namespace

void Engine::want_probes() {
  if (next_probe_ns_ == 0) next_probe_ns_ = now_ns() + kProbeNs;
  want_alarm(next_probe_ns_);
}

std::string Engine::describe(const IncomingCall& call) const {
  return *function_names_[call.function] + " (endpoint " + std::to_string(self_) +
         (call.instance == 0 ? "" : ", instance " + std::to_string(call.instance)) + ")";
}

void Engine::send_probes(uint64_t now) {
  if (next_probe_ns_ == 0) return;
  if (now < next_probe_ns_) return want_alarm(next_probe_ns_);
  next_probe_ns_ = 0;
  ++probe_round_;
  uint32_t left = kProbesMax;
  bool is_any_waiting = false;
  incoming_.for_each([&](uint64_t handle, IncomingCall& call) {
    if (!call.is_delivered || call.children.empty()) return;
    forget_finished(call);
    // One round to see that it waits, the next to ask why.
    if (call.children.empty()) {
      call.is_waiting = false;
      return;
    }
    is_any_waiting = true;
    if (!call.is_waiting) {
      call.is_waiting = true;
      return;
    }
    for (const uint64_t child : call.children) {
      if (left == 0) return;
      --left;
      probe(child, wire::ProbeFrame(child, handle, child, self_, self_, 0, probe_round_, 0, 0),
            describe(call));
    }
  });
  if (is_any_waiting) want_probes();
}

// Whether somebody waits for the result: calls that are only on their way keep nobody.
bool Engine::is_awaited(const RefRecord& record) {
  return record.waiter != nullptr || record.is_watched ||
         (record.extra != nullptr &&
          !(record.extra->waiters.empty() && record.extra->dependents.empty()));
}

// Follows one call to where it is executed.
void Engine::probe(uint64_t result, const wire::ProbeFrame& last, const std::string& text) {
  const RefRecord* record = refs_.find(result);
  if (record == nullptr || record->executor == kNoEndpoint || !is_awaited(*record)) return;
  Peer* executor = peer(record->executor);
  if (executor == nullptr || last.hops() == kHopsMax || text.size() > kTextMax) return;
  const wire::ProbeFrame frame(result, last.origin_call(), last.origin_child(), last.origin(),
                               std::min(last.lowest(), self_), last.hops() + 1, last.round(),
                               static_cast<uint32_t>(text.size()), 0);
  std::byte* body = open_frame(*executor, FrameKind::Probe, sizeof frame + text.size(), true);
  if (body == nullptr) return;
  FrameWriter writer(body);
  writer.write(frame);
  writer.bytes(text.data(), text.size());
}

bool Engine::on_probe(Peer& from, channel::FrameReader& reader) {
  wire::ProbeFrame frame;
  if (!reader.read(frame) || frame.text_size() > kTextMax || frame.hops() > kHopsMax) return false;
  const std::byte* bytes = reader.take(frame.text_size());
  if (bytes == nullptr) return false;
  const std::string path(reinterpret_cast<const char*>(bytes), frame.text_size());
  uint64_t handle = 0;
  const IncomingCall* asked = find_incoming(from, frame.call(), handle);
  if (asked == nullptr) return true;
  for (const uint64_t each : keepers(handle, *asked)) {
    const IncomingCall& call = *incoming_.find(each);
    if (frame.origin() == self_ && each == frame.origin_call()) {
      if (frame.lowest() == self_) report_deadlock(frame.origin_child(), path, call);
      return true;
    }
    if (!is_first_visit(frame, each)) continue;
    for (const uint64_t child : call.children) probe(child, frame, path + " -> " + describe(call));
  }
  return true;
}

// Many ways can lead to the same call: each probe goes on from it once.
bool Engine::is_first_visit(const wire::ProbeFrame& probe, uint64_t call) {
  if (const uint64_t now = now_ns(); now >= visits_end_ns_) {
    visits_.clear();
    visits_end_ns_ = now + kProbeNs;
  }
  return visits_.emplace(probe.origin(), probe.origin_call(), probe.round(), call).second;
}

// What must end before this call can: itself, or those that keep it from starting; nothing if it
// waits for one of several places.
std::vector<uint64_t> Engine::keepers(uint64_t asked_handle, const IncomingCall& asked) {
  const bool is_in_turn =
      is_serial_ && asked.group == kNoGroup &&
      inbox_.group_of(asked.instance, asked.function, asked.group_name) == kNoGroup;
  if (asked.is_delivered && !is_in_turn) return {asked_handle};
  std::vector<uint64_t> found;
  const uint32_t group = inbox_.group_of(asked.instance, asked.function, asked.group_name);
  if (!is_in_turn && (group == kNoGroup || inbox_.limit_of(asked.instance, group) != 1))
    return found;
  // Of those that were given out together one is executed, and the others wait behind it.
  incoming_.for_each([&](uint64_t handle, const IncomingCall& call) {
    if (!call.is_delivered || call.group != group) return;
    if (is_in_turn || call.instance == asked.instance) found.push_back(handle);
  });
  return found;
}

// Only what the call really waits for, and what is still under way: a peer can write anything.
void Engine::report_deadlock(uint64_t child, const std::string& path, const IncomingCall& call) {
  const auto& children = call.children;
  if (std::find(children.begin(), children.end(), child) == children.end()) return;
  const RefRecord* record = refs_.find(child);
  if (record == nullptr || record->state != RefRecord::State::kPending || !record->is_owned ||
      record->executor == kNoEndpoint)
    return;
  const std::string message = "the call waits for itself: " + path + " -> " + describe(call);
  give_up(child, "DEADLOCK", message);
  run_settled();
}

}  // namespace thornback::call
