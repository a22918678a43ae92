// What an endpoint remembers: refs, calls it has submitted, calls it has received, targets and
// peers. Plain data; the Engine holds the rules.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/unique_fd.h"
#include "call/blob.h"
#include "call/call_list.h"
#include "call/inbox.h"
#include "channel/channel.h"
#include "shm/endpoint_record.h"
#include "shm/memory_file.h"
#include "shm/waking.h"
#include "store/arena_reader.h"

namespace thornback::call {

inline constexpr uint32_t kNoEndpoint = UINT32_MAX;
inline constexpr uint32_t kStreamWindow = 64;  // items a producer may send ahead of its consumer
inline constexpr uint64_t kStreamBytes = 8 * 1024 * 1024;  // and bytes of them
inline constexpr uint64_t kStreamBytesSpare = 64 * 1024;   // of which nobody keeps account

// A thread that waits for refs. Lives on its stack; records point to it until it unregisters.
struct Waiter {
  uint32_t missing = 0;  // refs still to become ready; the wait is over at 0
  std::condition_variable condition;
};

// What tbk_call_option registered.
struct CallOptions {
  uint32_t flags = 0;
  int32_t priority = 0;
  uint32_t retries = 0;
  uint64_t retry_delay_ns = 0;
  std::vector<std::string> retry_on;  // names of exception classes; empty for all
  uint32_t group = 0;                 // a function number; 0 none

  bool has(uint32_t flag) const { return (flags & flag) != 0; }
};

struct StreamState {
  std::deque<uint64_t> items;   // refs, ready, one pin each
  uint32_t consumed = 0;        // since the last credit was sent
  uint64_t consumed_bytes = 0;  // of those
  bool has_begun = false;       // an item has arrived
  bool ended = false;           // the producer's final reply has arrived
  bool closed = false;          // the consumer wants no more
};

// The seldom used part of a ref.
struct RefExtra {
  std::vector<Waiter*> waiters;       // beyond the first
  std::vector<uint32_t> subscribers;  // peers that want Resolved
  std::vector<uint64_t> dependents;   // queued calls that have this ref as an argument
  std::vector<uint32_t>
      handed_over_by;             // peers to tell HandedOver once the owner has answered Borrow
  std::vector<uint64_t> guards;   // refs pinned until the owner has answered Borrow
  std::vector<uint32_t> targets;  // targets whose address this is, or that asked for this lease
  std::unique_ptr<StreamState> stream;
};

struct RefRecord {
  enum class State : uint8_t { kReserved, kPending, kReady };

  uint32_t pins = 0;  // local handles, blobs that contain it, calls in flight, receptions by peers,
                      // hand-overs, an unanswered Borrow
  State state = State::kReserved;
  bool is_owned = true;
  bool is_watched = false;
  bool is_subscribed = false;
  bool is_read = false;       // its bytes were shown to the binding
  bool is_cancelled = false;  // by its caller, while it was at its executor
  bool is_forced = false;     // its worker is to be ended
  bool awaits_borrowed = false;
  wire::RefId name{};       // of a borrowed ref; an owned one is named by its handle
  uint32_t receptions = 0;  // of a borrowed ref: how often the owner counted this endpoint
  Blob blob;
  Waiter* waiter = nullptr;
  std::unique_ptr<RefExtra> extra;

  // While a call that was sent is unanswered.
  uint32_t executor = kNoEndpoint;
  uint32_t target = 0;
  uint64_t queued = 0;         // the call as it is kept here: not yet sent, or to be sent again
  uint64_t pending_bytes = 0;  // of arguments, counted at the target
  uint64_t previous_in_flight = 0;
  uint64_t next_in_flight = 0;
  uint64_t sent_ns = 0;
  uint32_t bytes_in_flight = 0;

  RefExtra& more() {
    if (!extra) extra = std::make_unique<RefExtra>();
    return *extra;
  }
  StreamState* stream() const { return extra ? extra->stream.get() : nullptr; }
};

// A call that could not be sent at once, or that may have to be sent again.
struct QueuedCall {
  uint64_t result = 0;
  uint32_t target = 0;
  uint32_t function = 0;
  uint32_t flags = 0;
  uint32_t missing = 0;  // arguments that are not ready
  uint32_t options = 0;
  uint32_t attempts = 0;  // that have failed
  uint64_t deadline_ns = 0;
  Blob args;
};

// A worker that the agent has lent for a shape of tasks.
struct Lease {
  uint32_t endpoint_id = kNoEndpoint;
  uint32_t in_flight = 0;
  uint64_t last_reply_ns = 0;
  uint64_t idle_since_ns = 0;
  uint64_t busy_since_ns = 0;
  uint64_t expires_ns = 0;
  uint32_t abandoned = 0;   // tasks that were given up here and still occupy the worker
  bool is_expired = false;  // it gets no more tasks, and goes back when those it has are done

  bool is_idle() const { return in_flight == 0 && abandoned == 0; }
  bool is_stalled = false;  // it runs a long task: what waited behind it was called back
};

struct Target {
  enum class Kind : uint8_t { kFree, kEndpoint, kActor, kTasks };
  enum class State : uint8_t { kResolving, kReady, kDead };

  Kind kind = Kind::kFree;
  State state = State::kReady;
  bool is_released = false;
  bool is_refilled = false;  // calls came back: the queue is to be looked at
  uint32_t endpoint_id = kNoEndpoint;
  uint32_t instance = 0;
  uint64_t address = 0;  // the actor's address ref (pinned)
  bool is_restartable = false;
  std::array<uint8_t, 16> id{};  // of a restartable actor
  uint32_t unanswered = 0;       // calls sent or queued
  uint32_t users = 0;            // functions that look at it while its calls fail and finish
  std::vector<uint8_t> error;    // of a dead target: what its calls fail with
  CallList queue;                // queued calls (for tasks: those with all arguments ready)
  std::vector<uint8_t> shape;    // tasks only
  std::vector<Lease> leases;
  uint32_t lease_requests = 0;
  uint64_t task_ns = 0;  // moving average of a task's time on its worker; 0 unknown

  // Limits of what is unanswered.
  uint64_t pending_bytes = 0;
  uint64_t calls_max = 0;
  uint64_t bytes_max = 0;
  uint64_t refused = 0;
  uint64_t throttled_ns = 0;
  uint64_t full_since_ns = 0;  // a call was refused and there has not been room since; 0 no
  bool is_room_wanted = false;
  std::vector<Waiter*> room_waiters;
};

struct IncomingCall {
  uint32_t caller = kNoEndpoint;
  uint32_t function = 0;
  uint32_t instance = 0;
  uint32_t flags = 0;
  uint64_t call = 0;  // the caller's handle, 0 when it wants no reply
  uint64_t deadline_ns = 0;
  uint32_t group = kNoGroup;  // once it is delivered
  uint32_t group_name = 0;    // that its caller asked for; a function number
  bool is_waiting = false;    // for calls made inside it, when that was last looked at
  bool is_delivered = false;
  bool is_cancelled = false;
  bool awaits_credit = false;
  uint32_t credit = kStreamWindow;
  uint64_t bytes_ahead = 0;   // of items that the consumer has not taken, as far as known
  uint64_t bytes_wanted = 0;  // of the item for which there was no credit
  uint32_t sequence = 0;
  uint64_t stored_args = 0;  // the ref that holds the arguments when they are stored
  Blob args;
  std::vector<uint64_t> children;   // results of calls that were made inside this one
  size_t children_max = 16;         // then those that are over are taken out
  uint64_t previous = 0, next = 0;  // in the list of the caller's calls

  // One item always passes, however large.
  bool has_credit(uint64_t bytes) const {
    return credit > 0 && (bytes_ahead <= kStreamBytesSpare || bytes_ahead + bytes <= kStreamBytes);
  }
};

struct OutboxFrame {
  uint16_t kind;
  uint16_t flags;
  std::vector<std::byte> body;
};

struct Peer {
  uint32_t endpoint_id = kNoEndpoint;
  bool is_dead = false;
  bool is_faulty = false;  // it wrote nonsense: nothing more of it is read
  bool is_dirty = false;   // frames were written and not yet published
  std::string cause;       // of its death
  shm::Mapping record_mapping;
  shm::EndpointRecord* record = nullptr;
  UniqueFd poll, keeper;
  std::unique_ptr<store::ArenaReader> arena;
  std::unique_ptr<channel::Channel> channel;
  std::deque<OutboxFrame> outbox;            // frames other than calls that found the ring full
  std::vector<bool> functions_sent;          // by local function number
  std::vector<uint32_t> functions_received;  // the peer's number to the local one
  uint64_t in_flight_head = 0;               // results of calls sent to it
  uint32_t calls_in_flight = 0;
  uint64_t bytes_in_flight = 0;
  uint64_t incoming_head = 0;             // calls received from it
  std::vector<uint32_t> waiting_targets;  // targets with queued calls that found no room
  std::unordered_map<uint64_t, uint32_t> receptions;  // own refs it holds, by handle
  std::unordered_map<uint64_t, uint32_t>
      handovers;  // others' refs held here until it has introduced itself to the owner
  std::unordered_map<uint64_t, uint32_t>
      held_objects;        // objects of the own arena that it holds, by object_key
  int64_t arena_uses = 0;  // blobs here that lie in its arena

  shm::WakeTargets wake_targets() const { return {record, poll.get(), keeper.get()}; }
};

}  // namespace thornback::call
