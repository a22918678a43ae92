// Receiving: lays out the core's events in the inbox, so that JavaScript is called once for all of
// them.

#include <algorithm>
#include <cstring>

#include "addon/endpoint.h"

namespace thornback::addon {

namespace {

constexpr uint32_t aligned(uint32_t size) {
  return (size + 7u) & ~7u;
}

double address_of(const void* pointer) {
  return static_cast<double>(reinterpret_cast<uintptr_t>(pointer));
}

}  // namespace

uint32_t Endpoint::collect() {
  inbox_used_ = 0;
  uint32_t count = 0;
  while (count < kEventsMax && count < refusals_.size()) {
    describe_refusal(refusals_[count], inbox_->events[count]);
    ++count;
  }
  refusals_.erase(refusals_.begin(), refusals_.begin() + count);
  uint32_t polled = 0;
  if (count < kEventsMax &&
      tbk_poll(core(), events_.data(), kEventsMax - count, 0, &polled) == TBK_OK) {
    for (uint32_t i = 0; i < polled; ++i) describe(events_[i], inbox_->events[count + i]);
    count += polled;
  }
  return count;
}

void Endpoint::describe(const tbk_event_t& event, Event& out) {
  out.kind = event.kind;
  out.flags = event.flags;
  out.ref = static_cast<double>(event.ref);
  out.call = static_cast<double>(event.call);
  out.function = event.function;
  out.instance = event.instance;
  out.caller = event.caller;
  out.group = event.group;
  out.deadline_ns = static_cast<double>(event.deadline_ns);
  describe_value(event.value, out, inbox_used_, kInboxBytes);
}

// Copies a small value and its ref table to `used`, as long as they fit below `limit`; otherwise
// says where they are.
void Endpoint::describe_value(const tbk_value_t& value, Event& out, uint32_t& used,
                              uint32_t limit) {
  out.value_flags = value.flags;
  out.size = static_cast<double>(value.size);
  out.hold = static_cast<double>(value.hold);
  out.ref_count = value.ref_count;
  out.place = kPlaceNone;
  out.refs_place = kPlaceNone;
  if (value.ref_count != 0) {
    const uint64_t size = uint64_t{value.ref_count} * sizeof(tbk_ref_entry_t);
    if (size <= limit - used) {
      std::memcpy(inbox_->bytes + used, value.refs, size);
      out.refs_place = kPlaceInbox;
      out.refs_position = used;
      used += static_cast<uint32_t>(size);
    } else {
      out.refs_place = kPlacePointer;
      out.refs_position = address_of(value.refs);
    }
  }
  if (value.data == nullptr || value.size == 0) return;
  if ((value.flags & TBK_VALUE_STORED) != 0 && value.size > kCopyMax) {
    out.place = kPlaceStored;
  } else if (value.size <= limit - used &&
             aligned(static_cast<uint32_t>(value.size)) <= limit - used) {
    std::memcpy(inbox_->bytes + used, value.data, value.size);
    out.place = kPlaceInbox;
    out.position = used;
    used += aligned(static_cast<uint32_t>(value.size));
  } else {
    out.place = kPlacePointer;
    out.position = address_of(value.data);
  }
}

void Endpoint::describe_spare(const tbk_value_t& value, tbk_ref_t ref) {
  Event& out = inbox_->events[kEventsMax];
  out = {};
  out.ref = static_cast<double>(ref);
  uint32_t used = kInboxBytes;
  describe_value(value, out, used, kInboxBytes + kSpareBytes);
}

void Endpoint::describe_refusal(const Refusal& refusal, Event& out) {
  out = {};
  out.kind = kEventRefused;
  out.function = refusal.record_kind;
  out.instance = refusal.status;
  (refusal.record_kind == kRecordCall ? out.ref : out.call) = refusal.id;
  const auto size =
      static_cast<uint32_t>(std::min<size_t>(refusal.text.size(), kInboxBytes - inbox_used_));
  std::memcpy(inbox_->bytes + inbox_used_, refusal.text.data(), size);
  out.place = kPlaceInbox;
  out.position = inbox_used_;
  out.size = size;
  inbox_used_ += std::min(aligned(size), kInboxBytes - inbox_used_);
}

}  // namespace thornback::addon
