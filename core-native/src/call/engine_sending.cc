// Writing a call into the channel of who executes it, and counting it there.
#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

using wire::FrameKind;
using wire::PayloadKind;

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

}  // namespace thornback::call
