// The memory that the addon shares with its TypeScript half
// (workers/typescript/src/native/layout.ts has the same numbers and compares them at load).
//
//   outbox   control words | records | releases | retains | watches | reserved refs | bytes
//   inbox    events, one spare | bytes | bytes of the spare
//
// Both are used by the thread of one JavaScript environment only, never at the same time by both
// halves: JavaScript writes between calls of the addon, the addon reads within one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace thornback::addon {

// Raised with every change of this file.
inline constexpr uint32_t kLayoutVersion = 2;

inline constexpr uint32_t kRecordsMax = 256;
inline constexpr uint32_t kListMax = 1024;
inline constexpr uint32_t kEventsMax = 1024;
inline constexpr uint32_t kOutboxBytes = 1024 * 1024;
inline constexpr uint32_t kInboxBytes = 1024 * 1024;
inline constexpr uint32_t kSpareBytes = 128 * 1024;
// A stored value up to this size is copied out; a larger one is mapped when somebody asks for it.
inline constexpr uint32_t kCopyMax = 64 * 1024;

struct Control {
  uint32_t record_count;
  uint32_t bytes_used;
  uint32_t release_count;
  uint32_t retain_count;
  uint32_t watch_count;
  uint32_t keep_alive;  // reasons why the event loop must not end; counted by JavaScript
  uint32_t referenced;  // whether the loop is held; written by the addon
  uint32_t busy;        // many events were delivered at once: batches pay; written by the addon
  uint32_t reserved[8];
};

enum RecordKind : uint32_t { kRecordCall = 1, kRecordReply = 2 };

// A call or a reply to be sent. Offsets count from the start of the outbox's bytes.
struct Record {
  uint32_t kind;
  uint32_t flags;
  double id;  // the result's ref, or the incoming call
  uint32_t target;
  uint32_t function;
  double timeout_ns;
  uint32_t data_offset;
  uint32_t payload_flags;
  double data_size;
  double buffer_token;
  uint32_t refs_offset;  // tbk_ref_entry_t, 8-byte aligned
  uint32_t ref_count;
  double parent;  // of a call: the incoming call inside which it is made, 0 none
  uint32_t options;
  uint32_t padding;
};

struct Outbox {
  Control control;
  Record records[kRecordsMax];
  double releases[kListMax];
  double retains[kListMax];
  double watches[kListMax];
  double reserved_refs[kListMax];
  uint8_t bytes[kOutboxBytes];
};

// Beside the kinds of tbk_event_t: a record of the outbox was refused. `instance` holds the status,
// `function` the kind of the record, `ref` or `call` its id; the value is the error's text.
inline constexpr uint32_t kEventRefused = 100;

enum Place : uint32_t {
  kPlaceNone = 0,
  kPlaceInbox = 1,    // `position` counts from the start of the inbox's bytes
  kPlacePointer = 2,  // `position` is an address: fetch it with copyOut
  kPlaceStored = 3,   // too large to copy: map `hold`
};

struct Event {
  uint32_t kind;
  uint32_t flags;
  double ref;
  double call;
  uint32_t function;
  uint32_t instance;
  uint32_t caller;
  uint32_t value_flags;
  double deadline_ns;
  double position;
  double size;
  double hold;
  uint32_t ref_count;
  uint32_t place;
  double refs_position;
  uint32_t refs_place;  // kPlaceNone, kPlaceInbox or kPlacePointer
  uint32_t group;
};

struct Inbox {
  Event events[kEventsMax + 1];  // the last one is the spare: what refRead and streamNext return
  uint8_t bytes[kInboxBytes + kSpareBytes];
};

static_assert(sizeof(Control) == 64);
static_assert(sizeof(Record) == 80);
static_assert(sizeof(Event) == 96);
static_assert(offsetof(Outbox, bytes) % 64 == 0);
static_assert(offsetof(Inbox, bytes) % 8 == 0);

}  // namespace thornback::addon
