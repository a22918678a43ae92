// Callers of one endpoint take turns, and each keeps its order; who polls hears of events at once.
#include <gtest/gtest.h>

#include <algorithm>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

uint64_t number_of(const tbk_value_t& value) {
  uint64_t number = 0;
  std::memcpy(&number, value.data, sizeof number);
  return number;
}

tbk_payload_t number_payload(const uint64_t& number) {
  tbk_payload_t result{};
  result.data = reinterpret_cast<const uint8_t*>(&number);
  result.size = sizeof number;
  return result;
}

// Keeps `in_flight` calls pending at a target until stopped, on a thread of its own.
class Competitor {
 public:
  Competitor(tbk_endpoint_t* endpoint, tbk_target_t target, size_t in_flight)
      : thread_([=, this] { run(endpoint, target, in_flight); }) {}
  ~Competitor() {
    is_stopping_ = true;
    thread_.join();
  }
  bool is_full() const { return is_full_; }

 private:
  void run(tbk_endpoint_t* endpoint, tbk_target_t target, size_t in_flight) {
    std::deque<tbk_ref_t> pending;
    while (!is_stopping_ || !pending.empty()) {
      while (!is_stopping_ && pending.size() < in_flight)
        pending.push_back(call(endpoint, target, "work", payload("")));
      is_full_ = true;
      uint8_t ready = 0;
      if (is_stopping_) (void)tbk_cancel(endpoint, pending.back(), 0);
      tbk_ref_t& oldest = is_stopping_ ? pending.back() : pending.front();
      if (tbk_wait(endpoint, &oldest, 1, 1, 10'000'000'000, &ready) != TBK_OK) ADD_FAILURE();
      release(endpoint, oldest);
      is_stopping_ ? pending.pop_back() : pending.pop_front();
    }
  }

  std::atomic<bool> is_stopping_{false}, is_full_{false};
  std::thread thread_;
};

uint64_t percentile(std::vector<uint64_t>& times, size_t percent) {
  std::sort(times.begin(), times.end());
  return times[std::min(times.size() - 1, times.size() * percent / 100)];
}

TEST(FairnessTest, AFloodDelaysAnotherCallerByABatchOnly) {
  constexpr uint64_t kWorkNs = 50'000;
  // A batch is about 100 us of work. On a machine where other processes take the CPU away, the 99th
  // percentile is theirs as much as the engine's, so the best of some rounds is compared.
  constexpr uint64_t kSlackNs = 100'000;
  const int calls = scaled(1000);
  const auto measure = [&](size_t in_flight, uint64_t& median) {
    ScriptedSession session;
    const size_t worker =
        session.add_worker([](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
          work_for_ns(kWorkNs);
          reply(endpoint, event.call, "");
        });
    tbk_endpoint_t* other = session.session.attach();
    const Competitor competitor(other, open_target(other, session.worker_id(worker)), in_flight);
    (void)eventually([&] { return competitor.is_full(); });
    const tbk_target_t target = open_target(session.driver, session.worker_id(worker));
    std::vector<uint64_t> times;
    for (int i = 0; i < calls; ++i) {
      const uint64_t start = monotonic_ns();
      const tbk_ref_t result = call(session.driver, target, "work", payload(""));
      (void)get(session.driver, result);
      times.push_back(monotonic_ns() - start);
      release(session.driver, result);
    }
    median = percentile(times, 50);
    return percentile(times, 99);
  };
  uint64_t alone = UINT64_MAX, flooded = UINT64_MAX;
  uint64_t alone_median = UINT64_MAX, flooded_median = UINT64_MAX;
  for (int round = 0; round < (kIsSanitized ? 1 : 5); ++round) {
    uint64_t median = 0;
    alone = std::min(alone, measure(1, median));
    alone_median = std::min(alone_median, median);
    flooded = std::min(flooded, measure(8000, median));
    flooded_median = std::min(flooded_median, median);
  }
  std::printf(
      "a call of 50 us beside a competitor with 1 call: median %.0f us, p99 %.0f us; beside "
      "8,000: median %.0f us, p99 %.0f us (best of 5)\n",
      static_cast<double>(alone_median) / 1e3, static_cast<double>(alone) / 1e3,
      static_cast<double>(flooded_median) / 1e3, static_cast<double>(flooded) / 1e3);
  if (kIsSanitized) return;
  EXPECT_LE(flooded, alone + alone / 5 + kSlackNs);
  EXPECT_LE(flooded_median, alone_median + alone_median / 5 + kSlackNs);
}

TEST(FairnessTest, EachCallerKeepsItsOrder) {
  const uint64_t calls_each = static_cast<uint64_t>(scaled(250'000, 25));
  constexpr size_t kCallers = 4;
  ScriptedSession session;
  std::map<uint32_t, uint64_t> next;
  std::atomic<uint64_t> disorder{0};
  std::atomic<uint64_t> served{0};
  const size_t worker = session.add_worker([&](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
    disorder += number_of(event.value) == next[event.caller]++ ? 0 : 1;
    ++served;
    reply(endpoint, event.call, "");
  });
  std::vector<std::thread> threads;
  for (size_t caller = 0; caller < kCallers; ++caller) {
    threads.emplace_back([&, endpoint = session.session.attach()] {
      const tbk_target_t target = open_target(endpoint, session.worker_id(worker));
      std::deque<tbk_ref_t> pending;
      for (uint64_t i = 0; i < calls_each; ++i) {
        pending.push_back(call(endpoint, target, "work", number_payload(i)));
        if (pending.size() < 5000) continue;
        (void)get(endpoint, pending.back());
        for (const tbk_ref_t each : std::exchange(pending, {})) release(endpoint, each);
      }
      if (!pending.empty()) (void)get(endpoint, pending.back());
      for (const tbk_ref_t each : pending) release(endpoint, each);
      EXPECT_EQ(stats(endpoint).refs_live, 0U);
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(served, calls_each * kCallers);
  EXPECT_EQ(disorder, 0U);
}

// Turns are taken between callers, not between calls: exactly one of each while both wait.
TEST(FairnessTest, CallersTakeTurns) {
  ScriptedSession session;
  std::mutex mutex;
  std::vector<uint32_t> order;
  std::atomic<bool> may_go_on{false};
  std::atomic<int> started{0};
  const size_t worker = session.add_worker(
      [&](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
        ++started;
        (void)eventually([&] { return may_go_on.load(); });
        {
          const std::lock_guard<std::mutex> lock(mutex);
          order.push_back(event.caller);
        }
        reply(endpoint, event.call, "");
      },
      1);
  std::vector<tbk_endpoint_t*> callers{session.driver, session.session.attach(),
                                       session.session.attach()};
  const std::vector<int> counts{200, 20, 20};
  const auto flood = [&](size_t at) {
    const tbk_target_t target = open_target(callers[at], session.worker_id(worker));
    std::vector<tbk_ref_t> results;
    for (int i = 0; i < counts[at]; ++i)
      results.push_back(call(callers[at], target, "work", payload("")));
    return results;
  };
  std::vector<std::vector<tbk_ref_t>> results{flood(0)};
  ASSERT_TRUE(eventually([&] { return started == 1; }));
  results.push_back(flood(1));
  results.push_back(flood(2));
  // The endpoint takes them in while its thread is busy.
  ASSERT_TRUE(eventually([&] { return stats(session.worker(worker)).calls_received == 240; }))
      << stats(session.worker(worker)).calls_received;
  may_go_on = true;
  for (size_t at = 0; at < 3; ++at) (void)get(callers[at], results[at].back());
  const std::lock_guard<std::mutex> lock(mutex);
  ASSERT_EQ(order.size(), 240U);
  for (size_t at = 1; at < 3; ++at) {
    const uint32_t id = endpoint_id(callers[at]);
    EXPECT_EQ(std::count(order.begin(), order.begin() + 65, id), 20) << "one in three";
  }
}

// One thread polls, another waits for a ref and has the pump: calls must not wait for a timer.
TEST(FairnessTest, AThreadThatPollsHearsOfCallsWhileAnotherWaits) {
  ScriptedSession session;
  const size_t worker = session.add_worker(
      [](tbk_endpoint_t* endpoint, const tbk_event_t& event) { reply(endpoint, event.call, ""); });
  tbk_endpoint_t* serving = session.worker(worker);
  tbk_ref_t never = 0;
  ASSERT_EQ(tbk_ref_reserve(serving, 1, &never), TBK_OK);
  std::atomic<bool> is_over{false};
  std::vector<std::thread> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.emplace_back([&] {
      uint8_t ready = 0;
      while (!is_over) (void)tbk_wait(serving, &never, 1, 1, 100'000'000, &ready);
    });
  }
  const tbk_target_t target = open_target(session.driver, session.worker_id(worker));
  std::vector<uint64_t> times;
  for (int i = 0; i < 200; ++i) {
    const uint64_t start = monotonic_ns();
    const tbk_ref_t result = call(session.driver, target, "work", payload(""));
    (void)get(session.driver, result);
    times.push_back(monotonic_ns() - start);
    release(session.driver, result);
  }
  is_over = true;
  for (std::thread& each : waiting) each.join();
  const uint64_t median = percentile(times, 50);
  std::printf("a call to an endpoint where other threads wait: median %.0f us\n",
              static_cast<double>(median) / 1e3);
  if (!kIsSanitized) {
    EXPECT_LT(median, 5'000'000U) << "the timer is 50 ms";
  }
}

}  // namespace
}  // namespace thornback::testing
