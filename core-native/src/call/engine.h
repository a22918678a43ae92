// The rules of calls and refs at one endpoint: what happens when a call is submitted, a frame
// arrives, a ref is released, a peer dies. Single-threaded: the endpoint's mutex is held around
// every method. It writes frames and queues events; it never waits, except to be introduced to a
// new peer.
//
// The implementation is spread over the files engine_*.cc by subject.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "call/records.h"
#include "call/slot_table.h"
#include "channel/frame_reader.h"
#include "node/endpoint_id.h"
#include "node/member.h"
#include "node/notice_sink.h"
#include "node/peer.h"
#include "shm/node_board.h"
#include "store/arena.h"

namespace thornback::call {

inline constexpr uint32_t kInlineBytesMax =
    16 * 1024;  // measured: beyond it a second copy costs more than a directory entry
inline constexpr uint32_t kFrameBytesMax =
    60 * 1024;  // longer bodies lie in the store, the ring carries their name
inline constexpr uint32_t kCallsInFlightMax = 8192;  // per peer; more wait in this process
inline constexpr uint64_t kBytesInFlightMax = 8 * 1024 * 1024;
// What may be pending at a target unless it is told otherwise (thornback.h).
inline constexpr uint64_t kActorCallsPendingMax = 100'000;
inline constexpr uint64_t kActorBytesPendingMax = 16 * 1024 * 1024;
inline constexpr uint64_t kTasksPendingMax = 1'000'000;
inline constexpr uint64_t kTaskBytesPendingMax = 256 * 1024 * 1024;
inline constexpr uint16_t kFrameExternal = 1;  // record flag

struct EngineLimits {
  uint64_t pending_calls_max = 4'000'000;
  uint64_t pending_bytes_max = 256 * 1024 * 1024;
};

// An event waiting to be polled.
struct EventItem {
  uint32_t kind;
  uint64_t handle = 0;  // a ref or an incoming call
  uint32_t peer = kNoEndpoint;
  uint32_t number = 0;
  std::string text;
};

class Engine {
 public:
  Engine(node::Member& member, shm::EndpointRecord& record, store::Arena& arena,
         EngineLimits limits);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Values.
  Status create_buffer(uint64_t size, tbk_buffer_t& out);
  Status discard_buffer(uint64_t token);
  Status put(const tbk_payload_t& payload, uint64_t& out);
  uint64_t reserve();
  Status retain(uint64_t ref);
  void release(uint64_t ref);
  Status read(uint64_t ref, tbk_value_t& out);
  Status id(uint64_t ref, uint8_t out[16]);
  Status map_private(uint64_t ref, uint8_t** out_data, uint64_t* out_size);
  Status watch(uint64_t ref);
  // For waiting: whether a wait for this ref is over (unknown refs count as ready: reading them
  // tells the error).
  bool is_ready(uint64_t ref);
  void add_waiter(uint64_t ref, Waiter* waiter);
  void remove_waiter(uint64_t ref, Waiter* waiter);

  // Calls.
  uint32_t intern_function(std::string_view name);
  const std::string* function_name(uint32_t function) const;
  uint32_t open_endpoint_target(uint32_t endpoint_id, uint32_t instance);
  Status open_actor_target(uint64_t address, const uint8_t* id, uint32_t& out);
  uint32_t open_task_target(std::vector<uint8_t> shape);
  void release_target(uint32_t target);
  Status submit(const tbk_call_t& call);
  Status register_options(const tbk_call_options_t& options, uint32_t& out);
  Status cancel(uint64_t result, uint32_t flags);
  Status stream_next(uint64_t stream, uint64_t& out);
  // Limits of targets.
  Status limit_target(uint32_t target, uint64_t calls_max, uint64_t bytes_max);
  bool has_room(uint32_t target);  // unknown and dead targets have: submitting tells the error
  Status ask_for_room(uint32_t target);
  void add_room_waiter(uint32_t target, Waiter* waiter);
  void remove_room_waiter(uint32_t target, Waiter* waiter);
  Status fill(uint32_t target, tbk_target_stats_t& out);
  // A call to the agent that nobody waits for.
  void tell_agent(std::string_view function, const std::vector<uint8_t>& args);

  // Serving.
  Status reply(const tbk_reply_t& reply);
  IncomingCall* incoming(uint64_t call) { return incoming_.find(call); }
  Status call_state(uint64_t call) const;
  Status set_groups(uint32_t instance, const tbk_group_t* groups, uint32_t group_count,
                    const tbk_method_group_t* methods, uint32_t method_count);
  uint32_t tasks_executing() const { return tasks_executing_; }
  bool has_events() const { return !events_.empty() || inbox_.has_ready(); }
  // Calls are given out only with `with_calls`.
  bool next_event(tbk_event_t& out, bool with_calls);
  // Whether calls that were given out have been cancelled and nobody has polled since.
  bool has_cancels() const { return cancels_waiting_ > 0; }
  void cancels_seen() { cancels_waiting_ = 0; }
  // An event loop executes calls: one does not keep others from being started.
  void serves_in_loop() { is_serial_ = false; }
  // Whether threads that wait have something to look at since this was last asked.
  bool take_notified() { return std::exchange(has_notified_, false); }

  // The pump's side; one thread at a time has it.
  void bury_retired() { retired_.clear(); }
  void drain(uint32_t peer_index);
  void flush();  // publishes what was written and wakes who sleeps
  void on_connected(node::ConnectionFds connection);
  void on_peer_dead(uint32_t endpoint_id, const std::string& cause);
  void on_peer_joined(const node::PeerInfo& info);
  void on_node_gone(const std::string& cause);
  // What is due at a time: deadlines, retries, leases to be returned or relieved, forced ends;
  // `next_alarm_ns` tells when (0: never).
  void on_alarm(uint64_t now);
  // Before the endpoint leaves: idle leased workers go on with what they have imported.
  void give_back_leases();
  uint64_t next_alarm_ns() const { return next_alarm_ns_; }

  const shm::EndpointRecord* recent_partner() const;
  bool is_closed() const { return is_closed_; }
  // What the binding may still look at when the endpoint ends: peers' arenas with stored values
  // that were read and are still referenced; `needs_own_arena` tells the same of the own one.
  std::vector<std::unique_ptr<store::ArenaReader>> take_viewed_arenas(bool& needs_own_arena);
  void fill(tbk_stats_t& out) const;

 private:
  struct Outgoing;
  enum class Sending { kSent, kNoRoom, kFailed };

  void emit(uint32_t kind, uint64_t handle) {
    events_.push_back({kind, handle, kNoEndpoint, 0, {}});
  }

  // Frames.
  std::byte* open_frame(Peer& peer, wire::FrameKind kind, uint64_t size, bool may_queue);
  template <typename Frame>
  void send(Peer& peer, wire::FrameKind kind, const Frame& frame);
  void mark_dirty(Peer& peer);
  bool flush_outbox(Peer& peer);
  bool dispatch(Peer& peer, wire::FrameKind kind, channel::FrameReader reader);
  bool dispatch_external(Peer& peer, wire::FrameKind kind, channel::FrameReader reader);
  bool on_function(Peer& peer, channel::FrameReader reader);
  bool on_call(Peer& peer, channel::FrameReader& reader);
  bool on_reply(Peer& peer, channel::FrameReader& reader);
  bool on_cancel(Peer& peer, channel::FrameReader& reader);
  bool on_credit(Peer& peer, channel::FrameReader& reader);
  bool on_ref(Peer& peer, wire::FrameKind kind, channel::FrameReader& reader);
  bool on_resolved(Peer& peer, channel::FrameReader& reader);
  bool on_object(Peer& peer, wire::FrameKind kind, channel::FrameReader& reader);
  void isolate(Peer& peer);

  // Refs.
  void pin(uint64_t ref);
  void unpin(uint64_t ref);
  void destroy(uint64_t ref, RefRecord& record);
  void drop(Blob& blob);
  bool is_ready(const RefRecord& record) const;
  void set_ready(uint64_t ref, RefRecord& record);
  void notify_waiters(RefRecord& record);
  void run_settled();
  void set_error(uint64_t ref, RefRecord& record, std::string_view code,
                 const std::string& message);
  wire::RefId export_ref(uint64_t ref, Peer& to);
  uint64_t import_ref(const wire::RefId& name, Peer& from);
  uint64_t import_nested(const wire::RefId& name, uint64_t guard);
  uint64_t find_or_add_borrowed(const wire::RefId& name);
  void ask_owner(uint64_t ref, RefRecord& record);
  void on_borrowed(uint64_t ref, RefRecord& record, uint32_t count);
  void subscribe(RefRecord& record);
  void send_resolved(Peer& peer, uint64_t ref, RefRecord& record);
  void forget_receptions(Peer& peer, uint64_t ref, uint32_t count);

  // Values.
  Result<store::ObjectName> store_bytes(const uint8_t* data, uint64_t size);
  Status store_ref_table(store::ObjectName name, const tbk_ref_entry_t* refs, uint32_t count);
  Status stored_payload(const tbk_payload_t& payload, store::ObjectName& name, uint64_t& size);
  Status promote(RefRecord& record);
  Status locate(const wire::StorageId& storage, const uint8_t** data, uint64_t* size,
                uint32_t* companion);
  bool adopt_value(uint64_t ref, const wire::Payload& value, const std::byte* inline_bytes);
  bool read_payload(Peer& peer, const wire::Payload& payload, channel::FrameReader& reader,
                    Blob& out);
  wire::StorageId own_storage(store::ObjectName name) const;
  void give_object(Peer& peer, store::ObjectName name);
  void release_object(uint64_t key);
  void count_arena_use(uint32_t endpoint_id, int change);

  // Calls.
  Target* target(uint32_t number);
  uint32_t add_target(Target::Kind kind);
  void collect_target(uint32_t number);
  Status prepare(const tbk_call_t& call, Outgoing& out);
  uint32_t arguments_missing(const Outgoing& out);
  bool take_argument_error(const Outgoing& out);
  void discard(const Outgoing& out);
  bool is_kept(const Outgoing& out) const;
  bool is_held_up(Target& to);
  bool send_now(uint32_t number, Target& to, Outgoing& out);
  Sending send_call(Peer& peer, uint32_t instance, Outgoing& out);
  Status measure(const Outgoing& out, uint64_t& size);
  void write_call(std::byte* body, Peer& to, uint32_t instance, const Outgoing& out);
  bool announce(Peer& peer, uint32_t function);
  void start_pending(RefRecord& record, uint32_t number, uint32_t flags);
  void link_in_flight(Peer& peer, uint64_t result, uint64_t bytes);
  void unlink_in_flight(uint64_t result, RefRecord& record);
  void enqueue(uint32_t number, Target& to, const Outgoing& out, uint32_t missing);
  void queue_ready(uint64_t queued);
  bool fail_on_dead(Target& target, uint64_t queued);
  bool overtakes(const Target& to, const QueuedCall& call) const;
  int32_t rank(const Target& to, const QueuedCall& call) const;
  void flush_target(uint32_t number);
  Sending send_queued(uint64_t queued, Peer& to, uint32_t instance);
  void drop_queued(uint64_t queued);
  void finish(uint64_t result, RefRecord& record);
  void want_alarm(uint64_t time_ns);
  void expire_calls(uint64_t now);
  void give_up(uint64_t result, std::string_view code, const std::string& message);
  void on_late_reply(const Peer& from);
  void forget_deadlines();
  void fail_call(uint64_t result, std::string_view code, const std::string& message);
  void fail_result(uint64_t result, const uint8_t* error, uint64_t size);
  void fail_target(uint32_t number, std::vector<uint8_t> error);
  void fail_queued(Target& to, const std::vector<uint8_t>& error);
  void wait_for_room(Peer& to, uint32_t number);
  void resolve_target(uint32_t number, uint64_t address);
  void on_stream_item(uint64_t stream, RefRecord& record, Blob blob);
  void on_final_reply(uint64_t result, RefRecord& record, Blob blob);
  void end_stream(StreamState& stream, const Blob& last);
  Status send_reply(Peer& to, const IncomingCall& call, const tbk_reply_t& reply);
  Status answer_item(IncomingCall& call, const tbk_reply_t& reply);
  void remove_incoming(uint64_t call);
  void reply_error(uint64_t call, std::string_view code, const std::string& message);
  void stop_incoming(uint64_t call, IncomingCall& record, uint32_t flags);
  bool take_call(tbk_event_t& out);
  IncomingCall* find_incoming(Peer& from, uint64_t call, uint64_t& handle);
  std::string group_list(uint32_t instance) const;
  void fill_call_event(uint64_t handle, IncomingCall& call, tbk_event_t& out);
  uint32_t agent_target();

  // Options and limits.
  const CallOptions& options(uint32_t number) const { return *options_[number]; }
  void adopt_parent(const tbk_call_t& call, Outgoing& out);
  void forget_finished(IncomingCall& parent);
  uint64_t payload_bytes(const tbk_payload_t& payload) const;
  uint64_t argument_bytes(const tbk_call_t& call) const;
  Status admit(Target& to);
  bool is_endpoint_full() const;
  static bool is_full(const Target& to);
  void note_full(Target& to);
  void look_for_room(Target& to, uint32_t number);
  void give_room(Target& to, uint32_t number);

  // Retries and restarts.
  bool try_again(uint64_t result, RefRecord& record, bool at_once);
  bool take_back(uint64_t result, RefRecord& record);
  bool is_retryable_error(const RefRecord& record, const Blob& error) const;
  void requeue(uint64_t queued, bool in_front);
  void start_delayed(uint64_t now);
  void lose_actor(uint32_t number, const std::string& cause);
  void ask_for_address(uint32_t number, Target& to);
  void force_ends(uint64_t now);

  // Deadlocks.
  void want_probes();
  void send_probes(uint64_t now);
  void probe(uint64_t result, const wire::ProbeFrame& last, const std::string& text);
  bool on_probe(Peer& peer, channel::FrameReader& reader);
  static bool is_awaited(const RefRecord& record);
  bool is_first_visit(const wire::ProbeFrame& probe, uint64_t call);
  std::vector<uint64_t> keepers(uint64_t asked_handle, const IncomingCall& asked);
  void report_deadlock(uint64_t child, const std::string& path, const IncomingCall& call);
  std::string describe(const IncomingCall& call) const;

  // Tasks.
  void dispatch_tasks(uint32_t number);
  Lease* choose_lease(Target& target);
  void count_in_flight(Lease& lease);
  void rest_lease(Target& target, Lease& lease);
  void return_lease(Target& target, size_t index);
  void expire_leases(uint64_t now);
  Lease* find_lease(Target& target, uint32_t endpoint_id);
  uint32_t lease_depth(const Target& target) const;
  void request_leases(uint32_t number, Target& target);
  void grant_lease(uint32_t number, uint64_t answer);
  void on_task_done(RefRecord& record);
  void relieve_leases(uint64_t now);
  void call_back(uint32_t number, Peer& worker);
  void return_all_idle_leases(uint64_t idle_ns);
  void return_idle_leases(uint32_t number, uint64_t idle_ns);

  // Peers.
  Peer* peer(uint32_t endpoint_id);
  Result<Peer*> ensure_peer(uint32_t endpoint_id);
  Result<Peer*> ensure_arena(uint32_t endpoint_id);
  Result<Peer*> add_peer(node::PeerFds fds);
  void fail_in_flight(Peer& peer);
  void fail_or_retry(Peer& dead, uint64_t result);
  void deliver_last_words(const Peer& dead);
  void on_target_peer_dead(uint32_t number, const Peer& dead);
  void collect_peer(uint32_t endpoint_id);

  node::Member& member_;
  shm::EndpointRecord& record_;
  store::Arena& arena_;
  EngineLimits limits_;
  uint32_t self_;
  bool is_closed_ = false;
  std::string closed_cause_;

  SlotTable<RefRecord> refs_;
  std::unordered_map<std::string, uint64_t> borrowed_;  // by the bytes of the RefId
  SlotTable<QueuedCall> queued_;
  SlotTable<IncomingCall> incoming_;
  SlotTable<store::ObjectName> buffers_;
  std::vector<std::unique_ptr<Target>> targets_;  // by number; 0 unused
  std::vector<std::unique_ptr<Peer>> peers_;      // by endpoint index
  std::vector<Peer*> dirty_;
  std::vector<std::unique_ptr<Peer>>
      retired_;  // forgotten, but the pumping thread may still look at their records
  std::unordered_map<std::string, uint32_t> function_numbers_;
  std::vector<std::unique_ptr<std::string>> function_names_;
  std::unordered_map<uint64_t, uint32_t> extra_holds_;  // own objects with more than one holder
  std::vector<std::unique_ptr<CallOptions>> options_;   // by number; 0 are the defaults
  std::unordered_map<std::string, uint32_t> option_numbers_;  // by content
  Inbox inbox_;
  uint32_t cancels_waiting_ = 0;
  std::deque<EventItem> events_;
  std::string event_text_;  // backs the last event with a text
  std::multimap<uint64_t, uint64_t>
      deadlines_;  // results by deadline; those that are ready are passed over
  std::multimap<uint64_t, uint64_t> delayed_;  // queued calls by the time of their next attempt
  std::vector<uint64_t> orphaned_;             // borrowed refs whose owner cannot be reached
  std::vector<uint32_t> refilled_;             // targets to which calls came back
  std::multimap<uint64_t, uint64_t> forced_;   // results of calls by the time of their forced end
  bool is_full_ = false;           // a call was refused because of the limits of the whole endpoint
  std::vector<uint64_t> settled_;  // queued calls with one argument less to wait for
  std::vector<std::pair<uint32_t, uint64_t>>
      settled_targets_;  // targets whose address or lease has arrived
  std::vector<uint64_t> unpins_;
  bool is_unpinning_ = false;
  bool is_settling_ = false;
  uint32_t agent_target_ = 0;
  uint32_t recent_partner_ = kNoEndpoint;
  uint32_t tasks_executing_ = 0;
  uint64_t next_alarm_ns_ = 0;
  uint64_t next_probe_ns_ = 0;
  uint32_t probe_round_ = 0;
  std::set<std::tuple<uint32_t, uint64_t, uint32_t, uint64_t>> visits_;  // of probes, until then:
  uint64_t visits_end_ns_ = 0;
  bool is_serial_ = true;
  bool has_notified_ = false;
  uint64_t calls_pending_ = 0;
  uint64_t pending_bytes_ = 0;
  tbk_stats_t counters_{};
};

}  // namespace thornback::call
