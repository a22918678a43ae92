#include "runtime/endpoint.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/clock.h"
#include "node/endpoint_id.h"
#include "node/quiet_thread.h"
#include "shm/node_board.h"
#include "store/machine_memory.h"

namespace thornback::runtime {
namespace {

constexpr uint64_t kStewardGraceNs = 1'000'000;
constexpr uint64_t kNodeGraceNs = 500'000'000;
constexpr uint64_t kNodeGraceStepNs = 2'000'000;

void pause_ns(uint64_t duration_ns) {
  timespec time{static_cast<time_t>(duration_ns / 1'000'000'000),
                static_cast<long>(duration_ns % 1'000'000'000)};
  while (nanosleep(&time, &time) != 0) {
  }
}

// The capacity asked for, or by default 30 % of the memory there is.
Result<uint64_t> store_capacity(uint64_t asked) {
  if (asked != 0) {
    TBK_RETURN_IF_ERROR(store::check_store_capacity(asked));
    return asked;
  }
  Result<store::MachineMemory> memory = store::machine_memory();
  if (!memory.is_ok()) return memory.status();
  return std::min(memory.value().total * 3 / 10, memory.value().available * 8 / 10) / 4096 * 4096;
}

}  // namespace

Result<std::unique_ptr<Endpoint>> Endpoint::attach(const tbk_attach_options_t& options) {
  std::unique_ptr<Endpoint> endpoint(new Endpoint());
  TBK_RETURN_IF_ERROR(endpoint->open(options));
  return endpoint;
}

Result<std::unique_ptr<Endpoint>> Endpoint::start_node(const tbk_node_options_t& node,
                                                       const tbk_attach_options_t& options) {
  node::HubOptions hub_options;
  hub_options.socket_path = node.socket_path;
  Result<uint64_t> store_bytes = store_capacity(node.store_bytes_max);
  if (!store_bytes.is_ok()) return store_bytes.status();
  hub_options.store_bytes_max = store_bytes.value();
  hub_options.arena_bytes_max =
      node.arena_bytes_max == 0 ? store_bytes.value() : node.arena_bytes_max;
  Result<std::unique_ptr<node::Hub>> hub = node::Hub::start(hub_options);
  if (!hub.is_ok()) return hub.status();
  std::unique_ptr<Endpoint> endpoint(new Endpoint());
  endpoint->hub_ = hub.take();
  TBK_RETURN_IF_ERROR(endpoint->open(options));
  return endpoint;
}

Status Endpoint::open(const tbk_attach_options_t& options) {
  node::MemberOptions joining;
  joining.socket_path = options.socket_path == nullptr ? "" : options.socket_path;
  joining.role = options.role;
  joining.language = options.language == nullptr ? "" : options.language;
  joining.token = options.token == nullptr ? "" : options.token;
  Result<std::unique_ptr<node::Member>> member = node::Member::join(joining);
  if (!member.is_ok()) return member.status();
  member_ = member.take();
  index_ = node::endpoint_index(member_->endpoint_id());
  exits_with_node_ = (options.flags & TBK_ATTACH_EXIT_WITH_NODE) != 0;
  cancel_signal_ = options.cancel_signal;
  is_worker_ = options.role == TBK_ROLE_WORKER;

  Result<UniqueFd> record_file =
      shm::create_memory_file("thornback-record", shm::kEndpointRecordBytes);
  if (!record_file.is_ok()) return record_file.status();
  Result<shm::Mapping> mapping = shm::Mapping::map(
      record_file.value().get(), 0, shm::kEndpointRecordBytes, shm::Access::kReadWrite);
  if (!mapping.is_ok()) return mapping.status();
  record_mapping_ = mapping.take();
  record_ = shm::EndpointRecord::create(record_mapping_.data(), member_->endpoint_id(), getpid());
  self_ = {record_, member_->poll_fd(), member_->keeper_fd()};

  shm::NodeBoard& board = member_->board();
  store::Quota quota(member_->store_bytes_max(), board.granted, shm::kEndpointsMax, index_,
                     &board.high_water);
  Result<std::unique_ptr<store::Arena>> arena =
      store::Arena::create(member_->arena_bytes_max(), quota);
  if (!arena.is_ok()) return arena.status();
  arena_ = arena.take();

  call::EngineLimits limits;
  if (options.pending_calls_max != 0) limits.pending_calls_max = options.pending_calls_max;
  if (options.pending_bytes_max != 0) limits.pending_bytes_max = options.pending_bytes_max;
  sleeper_ = std::make_unique<shm::Sleeper>(*record_, board, index_);
  spinner_ = std::make_unique<shm::Spinner>(*record_, board, options.spin_ns);
  engine_ = std::make_unique<call::Engine>(*member_, *record_, *arena_, limits);
  TBK_RETURN_IF_ERROR(member_->publish(*record_, record_file.value().get(), arena_->fd()));
  {
    Lock lock(mutex_);
    sleeper_->awake();
    leave();
  }
  return member_->start(*this);
}

Endpoint::~Endpoint() {
  {
    Lock lock(mutex_);
    is_detaching_ = true;
    interrupt_ = true;
    for (call::Waiter* waiter : idle_waiters_) waiter->condition.notify_one();
    if (users_ > 0) {
      if (record_ != nullptr) shm::ring_and_wake(self_, index_);
      gone_.wait(lock, [this] { return users_ == 0; });
    }
    if (engine_ && !engine_->is_closed()) engine_->give_back_leases();
  }
  member_.reset();  // joins the keeper: no notice arrives any more
  if (steward_.joinable()) {
    {
      const std::lock_guard<std::mutex> lock(steward_mutex_);
      is_steward_wanted_ = true;
    }
    steward_wanted_.notify_one();
    steward_.join();
  }
  if (engine_) keep_viewed_arenas();
  engine_.reset();
  hub_.reset();
}

// Views of values can outlive the endpoint in garbage-collected languages: what they look at stays
// mapped until the process ends.
void Endpoint::keep_viewed_arenas() {
  static auto* kept_readers = new std::vector<std::unique_ptr<store::ArenaReader>>();
  static auto* kept_arenas = new std::vector<std::unique_ptr<store::Arena>>();
  static std::mutex mutex;
  bool needs_own_arena = false;
  auto readers = engine_->take_viewed_arenas(needs_own_arena);
  const std::lock_guard<std::mutex> lock(mutex);
  for (auto& reader : readers) kept_readers->push_back(std::move(reader));
  if (needs_own_arena) kept_arenas->push_back(std::move(arena_));
}

void Endpoint::fill(tbk_info_t& out) const {
  out.endpoint_id = member_->endpoint_id();
  out.cpu_count = member_->board().cpu_count;
  out.inline_bytes_max = call::kInlineBytesMax;
  out.store_bytes_max = member_->store_bytes_max();
  out.arena_bytes_max = member_->arena_bytes_max();
}

void Endpoint::fill(tbk_stats_t& out) {
  const std::lock_guard<std::mutex> lock(mutex_);
  engine_->fill(out);
  shm::NodeBoard& board = member_->board();
  out.sleeps = record_->sleeps.load(std::memory_order_relaxed);
  out.spinning_allowed = board.is_crowded() ? 0 : 1;
  const uint32_t high_water =
      std::min(board.high_water.load(std::memory_order_relaxed), shm::kEndpointsMax);
  for (uint32_t index = 0; index < high_water; ++index)
    out.store_bytes_node += board.granted[index].load(std::memory_order_relaxed);
}

// ---- Notices, on the keeper thread: they take effect when the pump runs. ----

void Endpoint::notice(std::function<void(call::Engine&)> effect) {
  {
    const std::lock_guard<std::mutex> lock(notices_mutex_);
    notices_.push_back(std::move(effect));
  }
  shm::ring_and_wake(self_, index_);
}

void Endpoint::run_notices() {
  std::vector<std::function<void(call::Engine&)>> notices;
  {
    const std::lock_guard<std::mutex> lock(notices_mutex_);
    notices.swap(notices_);
  }
  for (const auto& effect : notices) effect(*engine_);
}

void Endpoint::on_connected(node::ConnectionFds connection) {
  auto shared = std::make_shared<node::ConnectionFds>(std::move(connection));
  notice([shared](call::Engine& engine) { engine.on_connected(std::move(*shared)); });
}

void Endpoint::on_peer_dead(uint32_t endpoint_id, std::string cause) {
  shm::ring_for_the_dead(self_, node::endpoint_index(endpoint_id));
  notice([endpoint_id, cause = std::move(cause)](call::Engine& engine) {
    engine.on_peer_dead(endpoint_id, cause);
  });
}

void Endpoint::on_peer_joined(node::PeerInfo info) {
  notice([info = std::move(info)](call::Engine& engine) { engine.on_peer_joined(info); });
}

void Endpoint::on_node_gone(std::string cause) {
  notice([cause = std::move(cause)](call::Engine& engine) { engine.on_node_gone(cause); });
  if (!exits_with_node_) return;
  // User code may never come back to look: a worker does not outlive its session. One that leaves
  // by itself, which looks the same from here, waits for this thread and then ends with a status of
  // its own.
  for (uint64_t waited = 0; waited < kNodeGraceNs; waited += kNodeGraceStepNs) {
    if (is_detaching_.load(std::memory_order_acquire)) return;
    pause_ns(kNodeGraceStepNs);
  }
  if (!is_detaching_.load(std::memory_order_acquire)) _exit(1);
}

void Endpoint::on_alarm() {
  notice([](call::Engine& engine) { engine.on_alarm(now_ns()); });
}

// A sender found the endpoint away.
void Endpoint::on_keeper_wake() {
  is_watched_.store(true, std::memory_order_release);
  {
    const std::lock_guard<std::mutex> lock(steward_mutex_);
    is_steward_wanted_ = true;
  }
  if (!steward_.joinable())
    steward_ = node::start_quiet_thread("tbk-steward", [this] { run_steward(); });
  steward_wanted_.notify_one();
}

void Endpoint::run_steward() {
  while (true) {
    {
      std::unique_lock<std::mutex> lock(steward_mutex_);
      steward_wanted_.wait(lock, [this] { return is_steward_wanted_; });
      is_steward_wanted_ = false;
    }
    while (true) {
      // Most often the endpoint's thread is back long before the grace is over.
      pause_ns(kStewardGraceNs);
      const std::lock_guard<std::mutex> lock(mutex_);
      if (is_detaching_) return;
      is_watched_.store(false, std::memory_order_release);
      if (is_pumping_ || (has_loop_ && !is_loop_busy())) break;
      pump();
      if (sleeper_->prepare(shm::WakeState::kAway)) break;
      is_watched_.store(true, std::memory_order_release);
    }
  }
}

}  // namespace thornback::runtime
