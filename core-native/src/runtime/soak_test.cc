// Random calls, cancellations, deaths and restarts: every call has exactly one outcome, nothing
// runs more often than it may, nothing is left. The seed is printed; THORNBACK_SEED repeats a run.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

struct Expected {
  tbk_ref_t result;
  std::string text;
  uint32_t retries;
  tbk_target_t target;
};

class Soak {
 public:
  explicit Soak(uint32_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) actors_.push_back(add_worker());
    for (const size_t worker : actors_) targets_.push_back(session_.open_actor(worker));
    for (int i = 0; i < 2; ++i) {
      task_workers_.push_back(add_worker());
      session_.agent.lend(session_.worker_id(task_workers_.back()));
    }
    targets_.push_back(session_.open_tasks());
    const tbk_payload_t value = payload("the value of a ref");
    EXPECT_EQ(tbk_put(driver_, &value, &shared_), TBK_OK);
  }

  void run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      const uint32_t choice = pick(1000);
      if (choice < 900) submit();
      if (choice >= 900 && choice < 960) cancel();
      if (choice >= 960 && choice < 963) restart(actors_[pick(3)], false);
      if (choice >= 963 && choice < 966) restart(task_workers_[pick(2)], true);
      if (choice >= 966 && choice < 980) {
        uint8_t ready = 0;
        if (!calls_.empty())
          (void)tbk_wait(driver_, &calls_[pick(calls_.size())].result, 1, 1, 1'000'000, &ready);
      }
      answer_agent();
      if (calls_.size() > 2000) collect();
    }
    collect();
  }

  void expect_nothing_left() {
    tbk_ref_release(driver_, &shared_, 1);
    for (const tbk_target_t target : targets_) tbk_target_release(driver_, target);
    EXPECT_TRUE(eventually([&] {
      answer_agent();
      uint8_t ready = 0;
      (void)tbk_wait(driver_, nullptr, 0, 0, 0, &ready);
      const tbk_stats_t now = stats(driver_);
      return now.calls_pending == 0 && now.pending_bytes == 0 && now.objects_live == 0 &&
             now.refs_live == 0;
    })) << stats(driver_).calls_pending
        << " calls, " << stats(driver_).refs_live << " refs, " << stats(driver_).objects_live
        << " objects";
    EXPECT_EQ(outcomes_, submitted_);
    std::printf("%lu calls: %lu values, %lu errors, %lu cancelled, %lu restarts, %lu executions\n",
                submitted_, values_, errors_, cancelled_, restarts_, executions_.load());
    EXPECT_GT(values_, 0U);
    EXPECT_GT(errors_, 0U);
  }

 private:
  uint32_t pick(size_t count) { return static_cast<uint32_t>(random_() % count); }

  size_t add_worker() {
    return session_.add_worker(
        [this](tbk_endpoint_t* worker, const tbk_event_t& event) { serve(worker, event); }, 64,
        [this](tbk_endpoint_t* worker, const tbk_event_t& event) { give_up(worker, event); });
  }

  // On the worker's thread. Some calls are answered with the next one only, or never.
  void serve(tbk_endpoint_t* worker, const tbk_event_t& event) {
    const std::string text = text_of(event.value);
    const uint64_t number = ++executions_;
    std::vector<tbk_incoming_t> due;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++runs_[text.substr(0, 32)];
      due = std::exchange(held_[worker], {});
      if (number % 7 == 0) held_[worker].push_back(event.call);
    }
    for (const tbk_incoming_t call : due) reply(worker, call, "late");
    if (number % 7 == 0) return;
    if (number % 11 == 0)
      return reply(worker, event.call, remote_error("Unlucky"), TBK_VALUE_ERROR);
    reply(worker, event.call, text);
  }
  void give_up(tbk_endpoint_t* worker, const tbk_event_t& event) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (std::erase(held_[worker], event.call) == 0) return;
    }
    reply(worker, event.call, "stopped");
  }

  void submit() {
    const uint32_t retries = pick(3);
    tbk_call_options_t wish = call_options();
    wish.retries = retries;
    wish.flags =
        (pick(4) == 0 ? TBK_OPTION_UNORDERED : 0) | (pick(3) == 0 ? TBK_OPTION_RETRY_ERRORS : 0);
    wish.priority = static_cast<int32_t>(pick(3));
    wish.retry_delay_ns = pick(3) == 0 ? 1'000'000 : 0;
    CallSpec spec{.options = options_number(driver_, wish)};
    if (pick(20) == 0) spec.timeout_ns = 1 + pick(3'000'000);
    std::string text = std::to_string(submitted_);
    text.resize(32, ' ');
    if (pick(20) == 0) text.resize(20'000 + pick(100'000), 'x');
    std::vector<tbk_ref_entry_t> refs;
    if (pick(5) == 0) refs.push_back({shared_, TBK_REF_RESOLVE, 0});
    if (pick(8) == 0 && !calls_.empty())
      refs.push_back({calls_[pick(calls_.size())].result, pick(2), 0});
    tbk_ref_t result = 0;
    const tbk_target_t target = targets_[pick(targets_.size())];
    const tbk_status_t status =
        try_call(driver_, target, "work", payload(text, refs), spec, result);
    if (status == TBK_BACK_PRESSURE || status == TBK_STORE_FULL) return collect();
    ASSERT_EQ(status, TBK_OK) << tbk_last_error();
    ++submitted_;
    calls_.push_back({result, text, retries, target});
  }

  void cancel() {
    if (calls_.empty()) return;
    static constexpr uint32_t kFlags[] = {0, TBK_CANCEL_RECURSIVE, TBK_CANCEL_FORCE};
    (void)tbk_cancel(driver_, calls_[pick(calls_.size())].result, kFlags[pick(3)]);
    ++cancelled_;
  }

  void restart(size_t& worker, bool is_leased) {
    ++restarts_;
    const size_t next = add_worker();
    next_of_[session_.worker_id(worker)] = session_.worker_id(next);
    tbk_endpoint_t* ended = session_.worker(worker);
    session_.end_worker(worker);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      held_.erase(ended);
    }
    if (is_leased) session_.agent.lend(session_.worker_id(next));
    worker = next;
  }

  void answer_agent() {
    while (const auto dead = session_.agent.pending_address_request()) {
      uint32_t now = *dead;
      while (next_of_.contains(now)) now = next_of_[now];
      session_.agent.answer_address(address_of(now, 1));
    }
  }

  // Waits for all calls. Calls that are held are let go by ending what holds them.
  void collect() {
    for (const Expected& each : calls_) {
      uint8_t ready = 0;
      const bool is_over = eventually([&] {
        answer_agent();
        if (tbk_wait(driver_, &each.result, 1, 1, 1'000'000, &ready) == TBK_OK) return true;
        release_held();
        return false;
      });
      ASSERT_TRUE(is_over) << "call " << each.text.substr(0, 32) << " to target " << each.target
                           << ", executed " << runs_[each.text.substr(0, 32)] << " times";
      tbk_value_t value{};
      ASSERT_EQ(tbk_ref_read(driver_, each.result, &value), TBK_OK);
      const std::string text = text_of(value);
      if ((value.flags & TBK_VALUE_ERROR) != 0) {
        ++errors_;
      } else {
        EXPECT_TRUE(text == each.text || text == "late" || text == "stopped") << text.substr(0, 99);
        ++values_;
      }
      ++outcomes_;
      const std::lock_guard<std::mutex> lock(mutex_);
      EXPECT_LE(runs_[each.text.substr(0, 32)], 1 + each.retries) << each.text.substr(0, 32);
    }
    for (const Expected& each : calls_) release(driver_, each.result);
    calls_.clear();
  }

  void release_held() {
    std::vector<size_t> living = actors_;
    living.insert(living.end(), task_workers_.begin(), task_workers_.end());
    for (const size_t worker : living) {
      std::vector<tbk_incoming_t> due;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        due = std::exchange(held_[session_.worker(worker)], {});
      }
      for (const tbk_incoming_t call : due) reply(session_.worker(worker), call, "late");
    }
  }

  std::mt19937 random_;
  std::mutex mutex_;
  std::map<tbk_endpoint_t*, std::vector<tbk_incoming_t>> held_;
  std::map<std::string, uint32_t> runs_;
  std::atomic<uint64_t> executions_{0};
  std::map<uint32_t, uint32_t> next_of_;
  std::vector<size_t> actors_, task_workers_;
  std::vector<tbk_target_t> targets_;
  std::vector<Expected> calls_;
  tbk_ref_t shared_ = 0;
  uint64_t submitted_ = 0, outcomes_ = 0, values_ = 0, errors_ = 0, cancelled_ = 0, restarts_ = 0;
  ScriptedSession session_;
  tbk_endpoint_t* driver_ = session_.driver;
};

TEST(SoakTest, EveryCallHasOneOutcome) {
  const char* given = std::getenv("THORNBACK_SEED");
  const uint32_t seed =
      given != nullptr ? static_cast<uint32_t>(std::stoul(given)) : std::random_device()();
  std::printf("THORNBACK_SEED=%u\n", seed);
  Soak soak(seed);
  soak.run(scaled(20'000));
  soak.expect_nothing_left();
}

}  // namespace
}  // namespace thornback::testing
