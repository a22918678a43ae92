#include "testing/runtime/scripted_endpoints.h"

#include "base/clock.h"
#include "call/msgpack.h"

namespace thornback::testing {
namespace {

constexpr int64_t kWatchdogNs = 20'000'000'000;

// The unsigned number at `at` of a MessagePack text.
uint64_t number_at(const tbk_value_t& value, uint64_t at) {
  std::vector<uint8_t> list{0x91};
  list.insert(list.end(), value.data + at, value.data + value.size);
  const auto numbers = call::read_numbers(list.data(), list.size());
  return numbers && !numbers->empty() ? numbers->front() : UINT32_MAX;
}

std::string string_of(const call::MsgpackWriter& writer) {
  return {reinterpret_cast<const char*>(writer.bytes().data()), writer.bytes().size()};
}

}  // namespace

ScriptedServer::ScriptedServer(tbk_endpoint_t* endpoint, Handler on_call, uint32_t events_max,
                               Handler on_cancel)
    : endpoint_(endpoint),
      id_(endpoint_id(endpoint)),
      on_call_(std::move(on_call)),
      on_cancel_(std::move(on_cancel)),
      thread_([this, events_max] { serve(events_max); }) {}

void ScriptedServer::stop() {
  if (!thread_.joinable()) return;
  is_stopping_ = true;
  tbk_wake(endpoint_);
  thread_.join();
}

void ScriptedServer::serve(uint32_t events_max) {
  std::vector<tbk_event_t> events(events_max);
  uint32_t count = 0;
  while (!is_stopping_) {
    if (tbk_poll(endpoint_, events.data(), events_max, -1, &count) == TBK_CLOSED) return;
    for (uint32_t i = 0; i < count && !is_stopping_; ++i) {
      if (events[i].kind == TBK_EVENT_CALL) on_call_(events[i]);
      if (events[i].kind == TBK_EVENT_CANCEL && on_cancel_) on_cancel_(events[i]);
    }
  }
}

std::string text_of(const tbk_value_t& value) {
  return {reinterpret_cast<const char*>(value.data), value.size};
}

std::string name_of(tbk_endpoint_t* endpoint, tbk_function_t function) {
  const char* name = nullptr;
  uint32_t size = 0;
  (void)tbk_function_name(endpoint, function, &name, &size);
  return {name, size};
}

void reply(tbk_endpoint_t* endpoint, tbk_incoming_t call, const std::string& bytes,
           uint32_t value_flags) {
  tbk_reply_t answer{};
  answer.call = call;
  answer.value = payload(bytes);
  answer.value.flags = value_flags;
  uint32_t accepted = 0;
  const tbk_status_t status = tbk_reply(endpoint, &answer, 1, &accepted);
  if (status != TBK_OK) ADD_FAILURE() << tbk_status_name(status) << ": " << tbk_last_error();
}

std::string remote_error(const std::string& class_name) {
  call::MsgpackWriter body;
  body.map(3);
  body.text("code");
  body.text("REMOTE_ERROR");
  body.text("name");
  body.text(class_name);
  body.text("message");
  body.text("thrown by a test");
  call::MsgpackWriter value;
  value.extension(8, body.bytes());
  return string_of(value);
}

std::string address_of(uint32_t endpoint_id, uint32_t instance) {
  call::MsgpackWriter address;
  address.array(2);
  address.number(endpoint_id);
  address.number(instance);
  return string_of(address);
}

tbk_target_t open_target(tbk_endpoint_t* from, uint32_t endpoint_id, uint32_t instance) {
  tbk_target_t target = 0;
  EXPECT_EQ(tbk_target_endpoint(from, endpoint_id, instance, &target), TBK_OK);
  return target;
}

tbk_call_options_t call_options() {
  tbk_call_options_t options{};
  options.size = sizeof options;
  return options;
}

uint32_t options_number(tbk_endpoint_t* endpoint, const tbk_call_options_t& options) {
  uint32_t number = 0;
  EXPECT_EQ(tbk_call_option(endpoint, &options, &number), TBK_OK) << tbk_last_error();
  return number;
}

tbk_target_stats_t target_stats(tbk_endpoint_t* endpoint, tbk_target_t target) {
  tbk_target_stats_t stats{};
  stats.size = sizeof stats;
  EXPECT_EQ(tbk_target_stats(endpoint, target, &stats), TBK_OK);
  return stats;
}

uint64_t monotonic_ns() {
  return now_ns();
}

void work_for_ns(uint64_t duration_ns) {
  const uint64_t end = now_ns() + duration_ns;
  while (now_ns() < end) {
  }
}

bool eventually(const std::function<bool()>& holds) {
  const uint64_t end = now_ns() + static_cast<uint64_t>(kWatchdogNs);
  while (!holds()) {
    if (now_ns() > end) {
      ADD_FAILURE() << "it did not come true";
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

tbk_status_t try_call(tbk_endpoint_t* endpoint, tbk_target_t target, const std::string& name,
                      const tbk_payload_t& args, const CallSpec& spec, tbk_ref_t& result) {
  tbk_call_t request{};
  (void)tbk_ref_reserve(endpoint, 1, &request.result);
  request.target = target;
  request.function = function(endpoint, name);
  request.flags = spec.flags;
  request.options = spec.options;
  request.parent = spec.parent;
  request.timeout_ns = spec.timeout_ns;
  request.args = args;
  uint32_t accepted = 0;
  const tbk_status_t status = tbk_submit(endpoint, &request, 1, &accepted);
  result = status == TBK_OK ? request.result : 0;
  if (status != TBK_OK) release(endpoint, request.result);
  return status;
}

tbk_ref_t call_with(tbk_endpoint_t* endpoint, tbk_target_t target, const std::string& name,
                    const tbk_payload_t& args, const CallSpec& spec) {
  tbk_ref_t result = 0;
  if (try_call(endpoint, target, name, args, spec, result) != TBK_OK)
    ADD_FAILURE() << tbk_last_error();
  return result;
}

ScriptedAgent::ScriptedAgent(tbk_endpoint_t* agent)
    : agent_(agent), server_(agent, [this](const tbk_event_t& event) { on_call(event); }) {}

void ScriptedAgent::on_call(const tbk_event_t& event) {
  const std::string name = name_of(agent_, event.function);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (name == "agent::lease") {
    ++leases_asked_;
    lease_requests_.push_back(event.call);
    return match();
  }
  if (name == "agent::actor_address") {
    // [id as 16 bytes, number of the dead endpoint]
    EXPECT_EQ(event.value.data[0], 0x92);
    address_requests_.emplace_back(event.call, static_cast<uint32_t>(number_at(event.value, 19)));
    return;
  }
  if (name == "agent::end_worker")
    ended_.push_back(static_cast<uint32_t>(number_at(event.value, 1)));
  if (name == "agent::release") {
    const auto worker = static_cast<uint32_t>(number_at(event.value, 1));
    if (!dead_.contains(worker)) free_.push_back(worker);
    match();
  }
  reply(agent_, event.call, "\xc0");
}

void ScriptedAgent::match() {
  while (!lease_requests_.empty() && !free_.empty()) {
    reply(agent_, lease_requests_.front(), address_of(free_.front(), 0));
    lease_requests_.pop_front();
    free_.pop_front();
  }
}

void ScriptedAgent::lend(uint32_t worker) {
  const std::lock_guard<std::mutex> lock(mutex_);
  free_.push_back(worker);
  match();
}

void ScriptedAgent::forget(uint32_t worker) {
  const std::lock_guard<std::mutex> lock(mutex_);
  dead_.insert(worker);
  std::erase(free_, worker);
}

uint32_t ScriptedAgent::next_address_request() {
  std::optional<uint32_t> dead;
  (void)eventually([&] { return (dead = pending_address_request()).has_value(); });
  return dead.value_or(0);
}

std::optional<uint32_t> ScriptedAgent::pending_address_request() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (address_requests_.empty()) return std::nullopt;
  return address_requests_.front().second;
}

void ScriptedAgent::answer_address(const std::string& value, uint32_t value_flags) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ASSERT_FALSE(address_requests_.empty());
  reply(agent_, address_requests_.front().first, value, value_flags);
  address_requests_.pop_front();
}

std::vector<uint32_t> ScriptedAgent::ended_workers() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ended_;
}

ScriptedSession::~ScriptedSession() {
  workers_.clear();
  agent.stop();
}

size_t ScriptedSession::add_worker(const Handler& on_call, uint32_t events_max,
                                   const Handler& on_cancel) {
  tbk_endpoint_t* worker = session.attach(TBK_ROLE_WORKER);
  ScriptedServer::Handler cancelled;
  if (on_cancel) {
    cancelled = [worker, on_cancel](const tbk_event_t& event) { on_cancel(worker, event); };
  }
  workers_.push_back(std::make_unique<ScriptedServer>(
      worker, [worker, on_call](const tbk_event_t& event) { on_call(worker, event); }, events_max,
      cancelled));
  return workers_.size() - 1;
}

void ScriptedSession::end_worker(size_t number) {
  ScriptedServer& server = *workers_[number];
  server.stop();
  agent.forget(server.id());
  session.detach(server.endpoint());
}

tbk_target_t ScriptedSession::open_actor(size_t worker, bool is_restartable) {
  const std::string address = address_of(worker_id(worker), 1);
  const tbk_payload_t value = payload(address);
  tbk_ref_t ref = 0;
  EXPECT_EQ(tbk_put(driver, &value, &ref), TBK_OK);
  const uint8_t id[16] = {1, 2, 3};
  tbk_target_t target = 0;
  EXPECT_EQ(tbk_target_actor(driver, ref, is_restartable ? id : nullptr, &target), TBK_OK);
  release(driver, ref);
  return target;
}

tbk_target_t ScriptedSession::open_tasks(const std::string& shape) {
  tbk_target_t target = 0;
  EXPECT_EQ(tbk_target_tasks(driver, reinterpret_cast<const uint8_t*>(shape.data()),
                             static_cast<uint32_t>(shape.size()), &target),
            TBK_OK);
  return target;
}

void expect_error(tbk_endpoint_t* endpoint, tbk_ref_t result, const std::string& code) {
  bool is_error = false;
  const std::string value = get(endpoint, result, &is_error);
  EXPECT_TRUE(is_error && value.find(code) != std::string::npos)
      << "expected " << code << ", got " << value;
}

}  // namespace thornback::testing
