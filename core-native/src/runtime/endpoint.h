// One attached process or worker thread: the mutex around the engine, the pump that moves frames,
// and every kind of waiting.
//
// At any time at most one thread has the pump: a thread that waits for something takes it if it is
// free, drains the doorbell, and sleeps as the endpoint's sleeper; other waiting threads sleep on
// their own condition and are told by the pump, or inherit it. When nobody waits the endpoint is
// "away": the steward, a thread made at the first need, looks after it; in a process with an event
// loop the loop's descriptor does. The steward is not the keeper, because pumping can mean asking
// the hub, whose answers the keeper reads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "call/engine.h"
#include "node/hub.h"
#include "node/member.h"
#include "node/notice_sink.h"
#include "shm/endpoint_record.h"
#include "shm/memory_file.h"
#include "shm/spin.h"
#include "shm/waking.h"
#include "store/arena.h"

namespace thornback::runtime {

class Endpoint final : private node::NoticeSink {
 public:
  static Result<std::unique_ptr<Endpoint>> attach(const tbk_attach_options_t& options);
  // Starts the node as well; the endpoint owns the hub.
  static Result<std::unique_ptr<Endpoint>> start_node(const tbk_node_options_t& node,
                                                      const tbk_attach_options_t& options);
  ~Endpoint() override;

  // Runs `operation(engine)` under the mutex and sends what it wrote.
  template <typename Operation>
  auto with_engine(Operation operation) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto result = operation(*engine_);
    after_operation();
    return result;
  }

  tbk_status_t wait(const tbk_ref_t* refs, uint32_t count, uint32_t want, int64_t timeout_ns,
                    uint8_t* ready);
  tbk_status_t wait_for_credit(tbk_incoming_t call, int64_t timeout_ns);
  tbk_status_t wait_for_room(tbk_target_t target, int64_t timeout_ns);
  // Takes in what has arrived, unless another thread does.
  void look();
  tbk_status_t poll(tbk_event_t* events, uint32_t max, int64_t timeout_ns, uint32_t* count);
  int poll_fd() const { return self_.poll_fd; }
  tbk_status_t poll_arm();
  tbk_status_t poll_spin();
  void wake();

  void fill(tbk_info_t& out) const;
  void fill(tbk_stats_t& out);

 private:
  using Lock = std::unique_lock<std::mutex>;

  Endpoint() = default;
  Status open(const tbk_attach_options_t& options);
  void keep_viewed_arenas();

  // NoticeSink, on the keeper thread.
  void on_connected(node::ConnectionFds connection) override;
  void on_peer_dead(uint32_t endpoint_id, std::string cause) override;
  void on_peer_joined(node::PeerInfo info) override;
  void on_node_gone(std::string cause) override;
  void on_keeper_wake() override;
  void on_alarm() override;
  void run_steward();
  void notice(std::function<void(call::Engine&)> effect);
  void run_notices();

  // Waiting; all under the mutex.
  template <typename Done>
  tbk_status_t wait_until(Lock& lock, call::Waiter& waiter, int64_t timeout_ns, Done done);
  template <typename Done>
  tbk_status_t pump_until(Lock& lock, uint64_t deadline_ns, Done done);
  bool sleep_until_rung(Lock& lock, uint64_t deadline_ns);
  void pump();
  void take_pump();
  void give_pump();
  void leave();
  bool is_loop_busy() const;
  void after_operation();
  void send_and_signal();
  bool is_poller_idle() const;
  void tell_poller();
  void signal_loop();
  void interrupt_cancelled();
  tbk_status_t poll_locked(Lock& lock, tbk_event_t* events, uint32_t max, int64_t timeout_ns,
                           uint32_t* count);
  bool take_events(tbk_event_t* events, uint32_t max, uint32_t* count);
  void measure_calls();

  std::unique_ptr<node::Hub> hub_;
  shm::Mapping record_mapping_;
  shm::EndpointRecord* record_ = nullptr;
  std::unique_ptr<store::Arena> arena_;
  std::unique_ptr<node::Member> member_;
  shm::WakeTargets self_;  // for waking the own pump
  uint32_t index_ = 0;
  bool exits_with_node_ = false;

  std::mutex mutex_;
  std::unique_ptr<call::Engine> engine_;
  std::unique_ptr<shm::Sleeper> sleeper_;
  std::unique_ptr<shm::Spinner> spinner_;
  std::vector<call::Waiter*> idle_waiters_;  // threads that wait without the pump
  call::Waiter* poll_waiter_ = nullptr;      // of the thread that waits for events
  std::condition_variable gone_;             // users_ has become 0
  uint32_t users_ = 0;                       // threads inside a blocking function
  bool is_pumping_ = false;
  bool has_loop_ = false;    // an event loop arms the endpoint
  bool is_armed_ = false;    // the loop sleeps, or is about to
  bool is_polling_ = false;  // the thread that executes calls is in here
  int cancel_signal_ = 0;
  bool is_worker_ = false;
  pthread_t poller_{};          // who polled last
  uint64_t given_ns_ = 0;       // when calls were given out last, until their time is known
  uint32_t calls_given_ = 0;    // how many
  uint32_t calls_at_once_ = 1;  // how many are given out together
  std::atomic<bool> is_watched_{false};    // the steward will look within a millisecond or so
  std::atomic<bool> is_detaching_{false};  // set under the mutex; the keeper reads it without
  uint64_t alarm_ns_ = 0;
  std::atomic<bool> interrupt_{false};

  std::thread steward_;       // made by the keeper
  std::mutex steward_mutex_;  // taken with or without mutex_, never before it
  std::condition_variable steward_wanted_;
  bool is_steward_wanted_ = false;

  std::mutex notices_mutex_;
  std::vector<std::function<void(call::Engine&)>> notices_;
};

}  // namespace thornback::runtime
