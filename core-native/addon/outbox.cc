// Sending: turns the records that JavaScript wrote into calls of the C ABI, as few as possible.

#include <algorithm>

#include "addon/endpoint.h"

namespace thornback::addon {

namespace {

std::vector<tbk_ref_t>& as_refs(const double* numbers, uint32_t count,
                                std::vector<tbk_ref_t>& refs) {
  refs.clear();
  for (uint32_t i = 0; i < count; ++i) refs.push_back(static_cast<tbk_ref_t>(numbers[i]));
  return refs;
}

}  // namespace

void Endpoint::flush() {
  Control& control = outbox_->control;
  // Counts up first, down last: no order within one flush lets a ref go that the flush itself
  // needs.
  const uint32_t retains = std::min(control.retain_count, kListMax);
  for (uint32_t i = 0; i < retains; ++i) {
    (void)tbk_ref_retain(core(), static_cast<tbk_ref_t>(outbox_->retains[i]));
  }
  control.retain_count = 0;
  if (control.record_count != 0) flush_records(std::min(control.record_count, kRecordsMax));
  control.record_count = 0;
  control.bytes_used = 0;
  if (const uint32_t watches = std::min(control.watch_count, kListMax); watches != 0) {
    (void)tbk_watch(core(), as_refs(outbox_->watches, watches, refs_).data(), watches);
    control.watch_count = 0;
  }
  if (const uint32_t releases = std::min(control.release_count, kListMax); releases != 0) {
    tbk_ref_release(core(), as_refs(outbox_->releases, releases, refs_).data(), releases);
    control.release_count = 0;
  }
}

void Endpoint::flush_records(uint32_t count) {
  const Record* records = outbox_->records;
  for (uint32_t first = 0; first < count;) {
    uint32_t last = first + 1;
    while (last < count && records[last].kind == records[first].kind) ++last;
    if (records[first].kind == kRecordCall) {
      submit_calls(records + first, last - first);
    } else {
      send_replies(records + first, last - first);
    }
    first = last;
  }
}

tbk_payload_t Endpoint::payload(uint32_t data_offset, double size, double buffer_token,
                                uint32_t refs_offset, uint32_t ref_count, uint32_t flags) const {
  tbk_payload_t payload{};
  payload.data = outbox_->bytes + std::min(data_offset, kOutboxBytes);
  payload.size = static_cast<uint64_t>(size);
  payload.buffer_token = static_cast<uint64_t>(buffer_token);
  payload.refs = reinterpret_cast<const tbk_ref_entry_t*>(outbox_->bytes + refs_offset);
  payload.ref_count = ref_count;
  payload.flags = flags;
  return payload;
}

void Endpoint::submit_calls(const Record* records, uint32_t count) {
  calls_.clear();
  for (uint32_t i = 0; i < count; ++i) {
    const Record& record = records[i];
    tbk_call_t call{};
    call.result = static_cast<tbk_ref_t>(record.id);
    call.target = record.target;
    call.function = record.function;
    call.flags = record.flags;
    call.options = record.options;
    call.parent = static_cast<tbk_incoming_t>(record.parent);
    call.timeout_ns = static_cast<uint64_t>(record.timeout_ns);
    call.args = payload(record.data_offset, record.data_size, record.buffer_token,
                        record.refs_offset, record.ref_count, record.payload_flags);
    calls_.push_back(call);
  }
  for (uint32_t done = 0; done < count;) {
    uint32_t accepted = 0;
    const tbk_status_t status = tbk_submit(core(), calls_.data() + done, count - done, &accepted);
    done += accepted;
    if (status == TBK_OK) break;
    if (done < count) refuse(records[done++], status);
  }
}

void Endpoint::send_replies(const Record* records, uint32_t count) {
  replies_.clear();
  for (uint32_t i = 0; i < count; ++i) {
    const Record& record = records[i];
    tbk_reply_t reply{};
    reply.call = static_cast<tbk_incoming_t>(record.id);
    reply.flags = record.flags;
    reply.value = payload(record.data_offset, record.data_size, record.buffer_token,
                          record.refs_offset, record.ref_count, record.payload_flags);
    replies_.push_back(reply);
  }
  for (uint32_t done = 0; done < count;) {
    uint32_t accepted = 0;
    const tbk_status_t status = tbk_reply(core(), replies_.data() + done, count - done, &accepted);
    done += accepted;
    if (status == TBK_OK) break;
    if (done < count) refuse(records[done++], status);
  }
}

tbk_status_t Endpoint::flush_last(std::string& text) {
  const uint32_t count = std::min(outbox_->control.record_count, kRecordsMax);
  const double last = count == 0 ? 0 : outbox_->records[count - 1].id;
  const size_t known = refusals_.size();
  flush();
  if (refusals_.size() == known || refusals_.back().record_kind != kRecordCall ||
      refusals_.back().id != last)
    return TBK_OK;
  const tbk_status_t status = refusals_.back().status;
  text = std::move(refusals_.back().text);
  refusals_.pop_back();
  return status;
}

// The refusal becomes an event: JavaScript has long returned from writing the record.
void Endpoint::refuse(const Record& record, tbk_status_t status) {
  refusals_.push_back({record.kind, status, record.id, tbk_last_error()});
  if (record.buffer_token != 0) {
    (void)tbk_buffer_discard(core(), static_cast<uint64_t>(record.buffer_token));
  }
}

}  // namespace thornback::addon
