// The other end of a call: receiving it, replying, and what the caller does with replies and stream
// items.
#include <algorithm>

#include "base/clock.h"
#include "call/engine.h"
#include "call/engine_internal.h"

namespace thornback::call {

using wire::FrameKind;
using wire::PayloadKind;

bool Engine::on_call(Peer& from, channel::FrameReader& reader) {
  wire::CallFrame frame;
  if (!reader.read(frame)) return false;
  if (frame.function() >= from.functions_received.size() ||
      from.functions_received[frame.function()] == 0)
    return false;
  const uint64_t handle = incoming_.insert();
  IncomingCall& call = *incoming_.find(handle);
  call.caller = from.endpoint_id;
  call.call = frame.call();
  call.function = from.functions_received[frame.function()];
  call.instance = frame.instance();
  call.flags = frame.flags();
  call.deadline_ns = frame.deadline_ns();
  if (!read_payload(from, frame.args(), reader, call.args)) {
    drop(call.args);
    incoming_.erase(handle);
    return false;
  }
  if (call.args.kind == Blob::Kind::kStored) {
    // Views of the arguments can outlive the call: a ref of their own holds them.
    call.stored_args = reserve();
    RefRecord& record = *refs_.find(call.stored_args);
    record.blob = std::move(call.args);
    record.state = RefRecord::State::kReady;
    call.args = Blob();
  }
  call.next = from.incoming_head;
  if (from.incoming_head != 0) incoming_.find(from.incoming_head)->previous = handle;
  from.incoming_head = handle;
  ++counters_.calls_received;
  const uint32_t group =
      frame.group() < from.functions_received.size() ? from.functions_received[frame.group()] : 0;
  if (frame.group() != 0 && group == 0) return false;
  call.group_name = group;
  if (!inbox_.add(handle, node::endpoint_index(from.endpoint_id), call.instance, call.function,
                  group)) {
    reply_error(handle, "INVALID_ARGUMENT",
                "options.group: the actor has no concurrency group " + *function_name(group) +
                    "; there is " + group_list(call.instance));
  }
  return true;
}

std::string Engine::group_list(uint32_t instance) const {
  std::string list;
  for (const uint32_t name : inbox_.group_names(instance))
    list += (list.empty() ? "" : ", ") + *function_name(name);
  return list.empty() ? "none" : list;
}

Status Engine::set_groups(uint32_t instance, const tbk_group_t* groups, uint32_t group_count,
                          const tbk_method_group_t* methods, uint32_t method_count) {
  std::vector<GroupLimit> limits;
  for (uint32_t i = 0; i < group_count; ++i) {
    if (groups[i].limit == 0)
      return {TBK_INVALID, "groups[" + std::to_string(i) + "].limit: must be at least 1"};
    const std::string_view name(groups[i].name, groups[i].name_size);
    limits.push_back({name.empty() ? 0 : intern_function(name), groups[i].limit});
  }
  std::unordered_map<uint32_t, uint32_t> places;
  for (uint32_t i = 0; i < method_count; ++i) {
    if (methods[i].group >= group_count)
      return {TBK_INVALID, "methods[" + std::to_string(i) + "].group: there is no such group"};
    places[methods[i].function] = methods[i].group;
  }
  if (!inbox_.set_groups(instance, limits, std::move(places)))
    return {TBK_INVALID, "the instance has other groups: only their limits can be changed"};
  return Status::ok();
}

void Engine::reply_error(uint64_t call, std::string_view code, const std::string& message) {
  const std::vector<uint8_t> error = encode_error(code, message);
  tbk_reply_t answer{};
  answer.call = call;
  answer.value.data = error.data();
  answer.value.size = error.size();
  answer.value.flags = TBK_VALUE_ERROR;
  (void)reply(answer);
}

// The caller's handle names the call. Null: it has been replied to meanwhile.
IncomingCall* Engine::find_incoming(Peer& from, uint64_t call, uint64_t& handle) {
  for (handle = from.incoming_head; handle != 0;) {
    IncomingCall& incoming = *incoming_.find(handle);
    if (incoming.call == call) return &incoming;
    handle = incoming.next;
  }
  return nullptr;
}

bool Engine::on_cancel(Peer& from, channel::FrameReader& reader) {
  wire::CancelFrame frame;
  if (!reader.read(frame)) return false;
  uint64_t handle = 0;
  IncomingCall* call = find_incoming(from, frame.call(), handle);
  if (call == nullptr || call->is_cancelled) return true;
  if ((frame.flags() & kCancelCallBack) == 0) {
    stop_incoming(handle, *call, frame.flags());
  } else if (!call->is_delivered) {
    send(from, FrameKind::Reply, wire::ReplyFrame(call->call, kReplyReturned, 0, no_payload()));
    remove_incoming(handle);
  }
  return true;
}

// The caller wants no result any more.
void Engine::stop_incoming(uint64_t handle, IncomingCall& call, uint32_t flags) {
  call.is_cancelled = true;
  if (!call.is_delivered)
    return reply_error(handle, "CANCELLED", "the call was cancelled before it was started");
  emit(TBK_EVENT_CANCEL, handle);
  ++cancels_waiting_;
  if ((flags & TBK_CANCEL_RECURSIVE) == 0) return;
  flags &= TBK_CANCEL_RECURSIVE | TBK_CANCEL_FORCE;
  for (const uint64_t child : std::exchange(call.children, {})) (void)cancel(child, flags);
}

Status Engine::call_state(uint64_t handle) const {
  const IncomingCall* call = incoming_.find(handle);
  if (call == nullptr) return {TBK_NOT_FOUND, "no such incoming call: it was replied to"};
  return call->is_cancelled ? Status(TBK_CLOSED, "the call was cancelled") : Status::ok();
}

bool Engine::on_credit(Peer& from, channel::FrameReader& reader) {
  wire::CreditFrame frame;
  if (!reader.read(frame) || frame.items() > kStreamWindow) return false;
  uint64_t handle = 0;
  IncomingCall* call = find_incoming(from, frame.call(), handle);
  if (call == nullptr) return true;
  call->credit += frame.items();
  call->bytes_ahead -= std::min(frame.bytes(), call->bytes_ahead);
  if (call->awaits_credit) {
    call->awaits_credit = false;
    emit(TBK_EVENT_CREDIT, handle);
  }
  return true;
}

void Engine::remove_incoming(uint64_t handle) {
  IncomingCall& call = *incoming_.find(handle);
  Peer* from = peers_[node::endpoint_index(call.caller)].get();
  if (call.previous != 0) incoming_.find(call.previous)->next = call.next;
  if (call.next != 0) incoming_.find(call.next)->previous = call.previous;
  if (from != nullptr && from->endpoint_id == call.caller && from->incoming_head == handle)
    from->incoming_head = call.next;
  if (call.is_delivered && call.instance == 0) --tasks_executing_;
  if (call.is_delivered && call.group != kNoGroup) inbox_.give_back(call.instance, call.group);
  Blob args = std::move(call.args);
  const uint64_t stored = call.stored_args;
  incoming_.erase(handle);
  drop(args);
  if (stored != 0) unpin(stored);
}

bool Engine::next_event(tbk_event_t& out, bool with_calls) {
  cancels_waiting_ = 0;
  while (!events_.empty()) {
    EventItem item = std::move(events_.front());
    events_.pop_front();
    out = tbk_event_t{};
    out.kind = item.kind;
    if (item.kind == TBK_EVENT_READY) {
      RefRecord* record = refs_.find(item.handle);
      if (record == nullptr) continue;  // released before it was looked at
      out.ref = item.handle;
      record->is_read = true;
      if (record->state == RefRecord::State::kReady && record->stream() == nullptr)
        record->blob.fill(out.value, item.handle);
    } else if (item.kind == TBK_EVENT_PEER_JOINED || item.kind == TBK_EVENT_PEER_LEFT) {
      event_text_ = std::move(item.text);
      out.caller = item.peer;
      out.function = item.number;
      out.value.data = reinterpret_cast<const uint8_t*>(event_text_.data());
      out.value.size = event_text_.size();
    } else if (item.kind == TBK_EVENT_ROOM) {
      out.instance = static_cast<uint32_t>(item.handle);
    } else if (item.kind != TBK_EVENT_SHUTDOWN) {
      IncomingCall* call = incoming_.find(item.handle);
      if (call == nullptr) continue;  // cancelled before it was started, or replied to
      if (item.kind == TBK_EVENT_CALL && call->is_delivered) continue;
      fill_call_event(item.handle, *call, out);
    }
    return true;
  }
  return with_calls && take_call(out);
}

bool Engine::take_call(tbk_event_t& out) {
  uint64_t handle = 0;
  uint32_t group = kNoGroup;
  const auto is_there = [this](uint64_t queued) {
    const IncomingCall* call = incoming_.find(queued);
    return call != nullptr && !call->is_delivered;
  };
  while (inbox_.take(is_there, handle, group)) {
    IncomingCall& call = *incoming_.find(handle);
    call.group = group;
    out = tbk_event_t{};
    out.kind = TBK_EVENT_CALL;
    fill_call_event(handle, call, out);
    if (call.deadline_ns == 0 || now_ns() < call.deadline_ns) return true;
    reply_error(handle, "DEADLINE_EXCEEDED", "the deadline passed before the call was started");
  }
  return false;
}

void Engine::fill_call_event(uint64_t handle, IncomingCall& call, tbk_event_t& out) {
  out.call = handle;
  if (out.kind != TBK_EVENT_CALL) return;
  call.is_delivered = true;
  if (call.instance == 0) ++tasks_executing_;
  out.function = call.function;
  out.instance = call.instance;
  out.caller = call.caller;
  out.group = call.group == kNoGroup ? 0 : call.group;
  out.deadline_ns = call.deadline_ns;
  out.flags = (call.flags & TBK_CALL_STREAM) != 0 ? TBK_EVENT_STREAM_CALL : 0;
  const Blob& args = call.stored_args == 0 ? call.args : refs_.find(call.stored_args)->blob;
  if (call.stored_args != 0) refs_.find(call.stored_args)->is_read = true;
  args.fill(out.value, call.stored_args);
}

Status Engine::reply(const tbk_reply_t& answer) {
  IncomingCall* call = incoming_.find(answer.call);
  if (call == nullptr) return {TBK_NOT_FOUND, "no such incoming call: it was replied to"};
  if ((answer.flags & TBK_REPLY_ITEM) != 0) return answer_item(*call, answer);
  Peer* to = peer(call->caller);
  const bool is_wanted = to != nullptr && call->call != 0;
  if (is_wanted) {
    TBK_RETURN_IF_ERROR(send_reply(*to, *call, answer));
  } else if (answer.value.buffer_token != 0) {
    (void)discard_buffer(answer.value.buffer_token);
  }
  ++counters_.calls_replied;
  remove_incoming(answer.call);
  return Status::ok();
}

Status Engine::answer_item(IncomingCall& call, const tbk_reply_t& answer) {
  Peer* to = peer(call.caller);
  if (to == nullptr || call.is_cancelled || call.call == 0)
    return {TBK_CLOSED, "the consumer of the stream has closed it or is gone"};
  if ((call.flags & TBK_CALL_STREAM) == 0)
    return {TBK_INVALID, "the caller does not expect a stream"};
  const uint64_t bytes = payload_bytes(answer.value);
  if (!call.has_credit(bytes)) {
    call.awaits_credit = true;
    call.bytes_wanted = bytes;
    return {TBK_WOULD_BLOCK, "the stream has no credit"};
  }
  TBK_RETURN_IF_ERROR(send_reply(*to, call, answer));
  --call.credit;
  call.bytes_ahead += bytes;
  ++call.sequence;
  return Status::ok();
}

Status Engine::send_reply(Peer& to, const IncomingCall& call, const tbk_reply_t& answer) {
  const tbk_payload_t& value = answer.value;
  const bool is_stored = value.buffer_token != 0 || value.size > kInlineBytesMax;
  store::ObjectName name;
  uint64_t bytes = value.size;
  if (is_stored) TBK_RETURN_IF_ERROR(stored_payload(value, name, bytes));
  const uint64_t size = sizeof(wire::ReplyFrame) +
                        uint64_t{value.ref_count} * sizeof(wire::RefEntry) +
                        (is_stored ? 0 : bytes);
  std::byte* body = open_frame(to, FrameKind::Reply, size, true);
  if (body == nullptr) {
    if (is_stored) arena_.free(name);
    return {TBK_STORE_FULL,
            "no room in the store for a result with " + std::to_string(value.ref_count) + " refs"};
  }
  const auto flags =
      static_cast<uint8_t>(((value.flags & TBK_VALUE_ERROR) != 0 ? kPayloadError : 0) |
                           (is_stored && value.ref_count > 0 ? kPayloadCompanion : 0));
  const wire::Payload payload(
      static_cast<uint8_t>(is_stored ? PayloadKind::Stored : PayloadKind::Inline), flags, 0,
      value.ref_count, bytes, is_stored ? own_storage(name) : no_storage());
  FrameWriter writer(body);
  writer.write(wire::ReplyFrame(call.call, answer.flags, call.sequence, payload));
  for (uint32_t i = 0; i < value.ref_count; ++i) {
    writer.write(wire::RefEntry(export_ref(value.refs[i].ref, to), 0, 0, no_payload()));
  }
  if (is_stored) {
    give_object(to, name);
    counters_.bytes_shared += bytes;
  } else {
    writer.bytes(value.data, bytes);
  }
  return Status::ok();
}

bool Engine::on_reply(Peer& from, channel::FrameReader& reader) {
  wire::ReplyFrame frame;
  if (!reader.read(frame)) return false;
  Blob blob;
  if (!read_payload(from, frame.value(), reader, blob)) {
    drop(blob);
    return false;
  }
  RefRecord* record = refs_.find(frame.call());
  if (record == nullptr || record->executor != from.endpoint_id ||
      record->state != RefRecord::State::kPending) {
    drop(blob);
    if ((frame.flags() & TBK_REPLY_ITEM) == 0) on_late_reply(from);
    return true;
  }
  if ((frame.flags() & kReplyReturned) != 0) {
    drop(blob);
    return take_back(frame.call(), *record);
  }
  if ((frame.flags() & TBK_REPLY_ITEM) != 0) {
    on_stream_item(frame.call(), *record, std::move(blob));
  } else {
    on_final_reply(frame.call(), *record, std::move(blob));
  }
  return true;
}

void Engine::on_stream_item(uint64_t stream_ref, RefRecord& record, Blob blob) {
  StreamState* stream = record.stream();
  if (stream == nullptr || stream->closed) return drop(blob);
  const uint64_t item = reserve();
  RefRecord& item_record = *refs_.find(item);
  item_record.blob = std::move(blob);
  item_record.state = RefRecord::State::kReady;
  stream->items.push_back(item);
  stream->has_begun = true;
  notify_waiters(record);
  if (record.is_watched) {
    record.is_watched = false;
    emit(TBK_EVENT_READY, stream_ref);
  }
}

void Engine::on_final_reply(uint64_t result, RefRecord& record, Blob blob) {
  if (blob.is_error && is_retryable_error(record, blob) && try_again(result, record, false))
    return drop(blob);
  finish(result, record);
  record.blob = std::move(blob);
  if (StreamState* stream = record.stream()) end_stream(*stream, record.blob);
  set_ready(result, record);
  unpin(result);
}

// An error is the last item of its stream, so that it arrives at its place.
void Engine::end_stream(StreamState& stream, const Blob& last) {
  stream.ended = true;
  if (!last.is_error || stream.closed) return;
  const uint64_t item = reserve();
  RefRecord& record = *refs_.find(item);
  record.blob.set_inline(last.data(), last.size(), true);
  record.state = RefRecord::State::kReady;
  stream.items.push_back(item);
}

Status Engine::stream_next(uint64_t stream_ref, uint64_t& out) {
  RefRecord* record = refs_.find(stream_ref);
  StreamState* stream = record == nullptr ? nullptr : record->stream();
  if (stream == nullptr) return {TBK_INVALID, "not a stream"};
  if (stream->items.empty()) {
    if (stream->ended || stream->closed) return {TBK_END, "the stream has ended"};
    return {TBK_WOULD_BLOCK, "the next item is not there yet"};
  }
  out = stream->items.front();
  stream->items.pop_front();
  ++stream->consumed;
  stream->consumed_bytes += refs_.find(out)->blob.size();
  // Often enough that the producer need not stop, and what is kept back is never what it waits for.
  const bool is_due = stream->consumed * 2 >= kStreamWindow ||
                      stream->consumed_bytes * 2 >= kStreamBytes ||
                      (stream->items.empty() && stream->consumed_bytes > kStreamBytesSpare);
  if (is_due && record->executor != kNoEndpoint) {
    if (Peer* producer = peer(record->executor))
      send(*producer, FrameKind::Credit,
           wire::CreditFrame(stream_ref, stream->consumed_bytes, stream->consumed, 0));
    stream->consumed = 0;
    stream->consumed_bytes = 0;
  }
  return Status::ok();
}

}  // namespace thornback::call
