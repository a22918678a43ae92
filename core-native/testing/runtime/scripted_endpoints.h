// Endpoints that a test scripts: a server with a handler of its own, and a node agent that lends
// workers and is answered by hand.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "testing/runtime/session_fixture.h"
#include "thornback.h"

namespace thornback::testing {

// Sanitizers make everything slower by a factor: fewer calls, and no comparison of times.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif
constexpr int scaled(int count, int divisor = 10) {
  return kIsSanitized ? count / divisor : count;
}

// Polls on a thread of its own and hands every call (and, with `on_cancel`, every cancellation) to
// a function until stopped. The function replies, now or later.
class ScriptedServer {
 public:
  using Handler = std::function<void(const tbk_event_t&)>;
  ScriptedServer(tbk_endpoint_t* endpoint, Handler on_call, uint32_t events_max = 64,
                 Handler on_cancel = nullptr);
  ~ScriptedServer() { stop(); }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  void stop();
  uint32_t id() const { return id_; }
  tbk_endpoint_t* endpoint() const { return endpoint_; }

 private:
  void serve(uint32_t events_max);

  tbk_endpoint_t* endpoint_;
  uint32_t id_;
  Handler on_call_, on_cancel_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

std::string text_of(const tbk_value_t& value);
std::string name_of(tbk_endpoint_t* endpoint, tbk_function_t function);
void reply(tbk_endpoint_t* endpoint, tbk_incoming_t call, const std::string& bytes,
           uint32_t value_flags = 0);
// An error value as a binding writes it: REMOTE_ERROR with the class of an exception.
std::string remote_error(const std::string& class_name);
// The address of an actor as the agent answers it.
std::string address_of(uint32_t endpoint_id, uint32_t instance);
tbk_target_t open_target(tbk_endpoint_t* from, uint32_t endpoint_id, uint32_t instance = 1);
uint32_t options_number(tbk_endpoint_t* endpoint, const tbk_call_options_t& options);
tbk_call_options_t call_options();
tbk_target_stats_t target_stats(tbk_endpoint_t* endpoint, tbk_target_t target);
uint64_t monotonic_ns();
void work_for_ns(uint64_t duration_ns);  // keeps the CPU busy, as user code does
// Looks until it holds; fails the test after twenty seconds and is false then.
bool eventually(const std::function<bool()>& holds);

// What a call is made of beyond target and name.
struct CallSpec {
  uint32_t flags = 0;
  uint32_t options = 0;
  tbk_incoming_t parent = 0;
  uint64_t timeout_ns = 0;
};
// The status of submitting one call; `result` is released when it was refused.
tbk_status_t try_call(tbk_endpoint_t* endpoint, tbk_target_t target, const std::string& name,
                      const tbk_payload_t& args, const CallSpec& spec, tbk_ref_t& result);
tbk_ref_t call_with(tbk_endpoint_t* endpoint, tbk_target_t target, const std::string& name,
                    const tbk_payload_t& args, const CallSpec& spec);

// The node agent of a session: answers leases from the workers that were lent to it, and keeps
// requests for addresses until the test answers them.
class ScriptedAgent {
 public:
  explicit ScriptedAgent(tbk_endpoint_t* agent);
  void stop() { server_.stop(); }
  // This worker may be leased from now on; it comes back with agent::release.
  void lend(uint32_t worker);
  // It is dead: not to be leased again.
  void forget(uint32_t worker);
  // Waits for the next question where an actor is now; the endpoint that died is the answer.
  uint32_t next_address_request();
  // Without waiting.
  std::optional<uint32_t> pending_address_request();
  void answer_address(const std::string& value, uint32_t value_flags = 0);
  uint64_t leases_asked() const { return leases_asked_; }
  std::vector<uint32_t> ended_workers();

 private:
  void on_call(const tbk_event_t& event);
  void match();

  tbk_endpoint_t* agent_;
  std::mutex mutex_;
  std::deque<tbk_incoming_t> lease_requests_;
  std::deque<uint32_t> free_;
  std::set<uint32_t> dead_;
  std::deque<std::pair<tbk_incoming_t, uint32_t>> address_requests_;
  std::vector<uint32_t> ended_;
  std::atomic<uint64_t> leases_asked_{0};
  ScriptedServer server_;
};

// A session with a scripted agent and workers that a test can end.
class ScriptedSession {
 public:
  using Handler = std::function<void(tbk_endpoint_t* worker, const tbk_event_t& event)>;

  ~ScriptedSession();
  // Attaches a worker that serves with this function; its number.
  size_t add_worker(const Handler& on_call, uint32_t events_max = 64,
                    const Handler& on_cancel = nullptr);
  // Its calls fail from now on. Not from its own handler.
  void end_worker(size_t number);
  uint32_t worker_id(size_t number) const { return workers_[number]->id(); }
  tbk_endpoint_t* worker(size_t number) const { return workers_[number]->endpoint(); }
  // A restartable actor at this worker, called by the driver.
  tbk_target_t open_actor(size_t worker, bool is_restartable = true);
  tbk_target_t open_tasks(const std::string& shape = "\xc0");

  Session session;
  ScriptedAgent agent{session.agent()};
  tbk_endpoint_t* driver = session.attach();

 private:
  std::vector<std::unique_ptr<ScriptedServer>> workers_;
};

// What calls ended with: an error's code as a substring.
void expect_error(tbk_endpoint_t* endpoint, tbk_ref_t result, const std::string& code);

}  // namespace thornback::testing
