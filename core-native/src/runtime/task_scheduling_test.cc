// Which task runs when and where: priorities, tasks called back from behind a long one, long
// queues.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <random>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

class TaskSchedulingTest : public ::testing::Test {
 protected:
  // Short tasks echo; a long one lasts until it is let go.
  size_t add_worker(uint32_t events_max) {
    return session_.add_worker(
        [this](tbk_endpoint_t* worker, const tbk_event_t& event) {
          const std::string text = text_of(event.value);
          {
            const std::lock_guard<std::mutex> lock(mutex_);
            ++runs_[text];
            order_.push_back(text);
          }
          if (text == "long") {
            is_long_running_ = true;
            (void)eventually([&] { return may_end_.load(); });
          }
          reply(worker, event.call, text);
        },
        events_max);
  }
  uint32_t with_retries(int32_t priority = 0) {
    tbk_call_options_t options = call_options();
    options.retries = 1;
    options.priority = priority;
    return options_number(driver_, options);
  }
  // Short tasks make the engine send many ahead.
  void warm_up(tbk_target_t tasks) {
    for (int round = 0; round < 20; ++round) {
      std::vector<tbk_ref_t> results;
      for (int i = 0; i < 100; ++i)
        results.push_back(
            call_with(driver_, tasks, "task", payload("warm"), {.options = with_retries()}));
      for (const tbk_ref_t result : results) {
        (void)get(driver_, result);
        release(driver_, result);
      }
    }
  }
  size_t count_runs(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return runs_[text];
  }

  std::mutex mutex_;
  std::map<std::string, size_t> runs_;
  std::vector<std::string> order_;
  std::atomic<bool> may_end_{false}, is_long_running_{false};
  ScriptedSession session_;
  tbk_endpoint_t* driver_ = session_.driver;
};

TEST_F(TaskSchedulingTest, NoTaskWaitsBehindOneThatWasGivenUp) {
  const size_t workers[] = {add_worker(1), add_worker(1)};
  for (const size_t worker : workers) session_.agent.lend(session_.worker_id(worker));
  const tbk_target_t tasks = session_.open_tasks();
  const tbk_ref_t expired =
      call_with(driver_, tasks, "task", payload("long"), {.timeout_ns = 50'000'000});
  expect_error(driver_, expired, "DEADLINE_EXCEEDED");
  EXPECT_TRUE(is_long_running_);
  const tbk_ref_t next =
      call_with(driver_, tasks, "task", payload("next"), {.options = with_retries()});
  EXPECT_EQ(get(driver_, next), "next");
  EXPECT_FALSE(may_end_);
  may_end_ = true;
}

// The worker goes from one shape of tasks to the other although the first has work for it.
TEST_F(TaskSchedulingTest, TasksOfAnotherShapeGetTheirTurn) {
  const size_t worker =
      session_.add_worker([this](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
        work_for_ns(1'000'000);
        reply(endpoint, event.call, text_of(event.value));
        const std::lock_guard<std::mutex> lock(mutex_);
        order_.push_back(text_of(event.value));
      });
  session_.agent.lend(session_.worker_id(worker));
  const tbk_target_t many = session_.open_tasks();
  const tbk_target_t other = session_.open_tasks("\xa5other");
  std::vector<tbk_ref_t> results;
  for (int i = 0; i < 3'000; ++i)
    results.push_back(call_with(driver_, many, "task", payload("many"), {}));
  EXPECT_EQ(get(driver_, call_with(driver_, other, "task", payload("other"), {})), "other");
  size_t before = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    before = order_.size();
  }
  EXPECT_LT(before, 2'000U);
  for (const tbk_ref_t result : results) EXPECT_EQ(get(driver_, result), "many");
}

TEST_F(TaskSchedulingTest, NoShortTaskWaitsBehindALongOne) {
  std::vector<uint64_t> times;
  size_t workers[] = {add_worker(1), add_worker(1)};
  for (const size_t worker : workers) session_.agent.lend(session_.worker_id(worker));
  const tbk_target_t tasks = session_.open_tasks();
  const CallSpec kept{.options = with_retries()};
  for (int round = 0; round < 10; ++round) {
    may_end_ = is_long_running_ = false;
    warm_up(tasks);
    const uint64_t start = monotonic_ns();
    std::vector<tbk_ref_t> results;
    tbk_ref_t long_one = 0;
    for (int i = 0; i < 1000; ++i) {
      if (i == 10 + 50 * round) long_one = call_with(driver_, tasks, "task", payload("long"), kept);
      const std::string text = std::to_string(round) + "." + std::to_string(i);
      results.push_back(call_with(driver_, tasks, "task", payload(text), kept));
    }
    for (int i = 0; i < 1000; ++i) {
      const std::string text = std::to_string(round) + "." + std::to_string(i);
      ASSERT_EQ(get(driver_, results[static_cast<size_t>(i)]), text);
      EXPECT_EQ(count_runs(text), 1U);
      release(driver_, results[static_cast<size_t>(i)]);
    }
    times.push_back(monotonic_ns() - start);
    EXPECT_TRUE(eventually([&] { return is_long_running_.load(); }));
    uint8_t ready = 0;
    EXPECT_EQ(tbk_wait(driver_, &long_one, 1, 1, 0, &ready), TBK_TIMEOUT);
    may_end_ = true;
    EXPECT_EQ(get(driver_, long_one), "long");
    release(driver_, long_one);
  }
  EXPECT_EQ(count_runs("long"), 10U);
  EXPECT_EQ(stats(driver_).calls_pending, 0U);
  std::sort(times.begin(), times.end());
  std::printf("1,000 short tasks beside an endless one: %.1f ms (median of 10), %.1f ms at most\n",
              static_cast<double>(times[5]) / 1e6, static_cast<double>(times.back()) / 1e6);
}

// Tasks that the worker has taken together with the long one cannot come back; they are few.
TEST_F(TaskSchedulingTest, ABatchIsAllThatStaysBehindALongTask) {
  for (const size_t worker : {add_worker(64), add_worker(64)})
    session_.agent.lend(session_.worker_id(worker));
  const tbk_target_t tasks = session_.open_tasks();
  const CallSpec kept{.options = with_retries()};
  warm_up(tasks);
  std::vector<tbk_ref_t> results;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = i == 500 ? "long" : std::to_string(i);
    results.push_back(call_with(driver_, tasks, "task", payload(text), kept));
  }
  std::vector<uint8_t> ready(results.size());
  EXPECT_TRUE(eventually([&] {
    (void)tbk_wait(driver_, results.data(), 1000, 1000, 5'000'000, ready.data());
    return std::count(ready.begin(), ready.end(), 1) >= 1000 - 64;
  }));
  std::printf("%ld of 1,000 tasks stayed with the long one\n",
              1000 - std::count(ready.begin(), ready.end(), 1) - 1);
  may_end_ = true;
  for (const tbk_ref_t result : results) (void)get(driver_, result);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(count_runs(i == 500 ? "long" : std::to_string(i)), 1U);
}

// The long task is over for its caller, but not for the worker: what was called back goes there
// again as soon as the worker is free, and does not wait for ever.
TEST_F(TaskSchedulingTest, AWorkerThatIsBusyWithAnExpiredTaskIsUsedAgain) {
  session_.agent.lend(session_.worker_id(add_worker(1)));
  const tbk_target_t tasks = session_.open_tasks();
  const CallSpec kept{.options = with_retries()};
  for (int round = 0; round < 5; ++round) {
    may_end_ = is_long_running_ = false;
    warm_up(tasks);
    const tbk_ref_t expired = call_with(driver_, tasks, "task", payload("long"),
                                        {.options = with_retries(), .timeout_ns = 1'000'000});
    std::vector<tbk_ref_t> results;
    for (int i = 0; i < 100; ++i)
      results.push_back(call_with(driver_, tasks, "task", payload("short"), kept));
    bool is_error = false;
    (void)get(driver_, expired, &is_error);
    EXPECT_TRUE(is_error);
    uint8_t ready = 0;
    (void)tbk_wait(driver_, &results.back(), 1, 1, 20'000'000, &ready);
    may_end_ = true;
    for (const tbk_ref_t result : results) {
      ASSERT_EQ(get(driver_, result), "short");
      release(driver_, result);
    }
    release(driver_, expired);
  }
  EXPECT_EQ(count_runs("short"), 500U);
}

TEST_F(TaskSchedulingTest, WaitingTasksStartInOrderOfPriority) {
  std::mt19937 random(9);
  const tbk_target_t tasks = session_.open_tasks();
  std::vector<std::pair<int32_t, std::string>> expected;
  std::vector<tbk_ref_t> results;
  for (int i = 0; i < 500; ++i) {
    const auto priority = static_cast<int32_t>(random() % 7) - 3;
    expected.emplace_back(priority, std::to_string(i));
    results.push_back(call_with(driver_, tasks, "task", payload(expected.back().second),
                                {.options = with_retries(priority)}));
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  session_.agent.lend(session_.worker_id(add_worker(8)));
  for (const tbk_ref_t result : results) (void)get(driver_, result);
  const std::lock_guard<std::mutex> lock(mutex_);
  ASSERT_EQ(order_.size(), expected.size());
  for (size_t i = 0; i < order_.size(); ++i) ASSERT_EQ(order_[i], expected[i].second) << i;
}

TEST(LongQueueTest, AMillionTasksWaitInLittleMemory) {
  const auto tasks_count = static_cast<uint64_t>(scaled(1'000'000, 20));
  PrivateFolder folder;
  Session session(folder.socket(), 64 << 20);
  ScriptedAgent agent(session.agent());
  const std::string socket = folder.socket();
  tbk_attach_options_t options = attach_options(socket, TBK_ROLE_DRIVER);
  options.pending_calls_max = 2 * tasks_count;
  tbk_endpoint_t* driver = nullptr;
  ASSERT_EQ(tbk_attach(&options, &driver), TBK_OK);
  {
    tbk_target_t tasks = 0;
    const uint8_t shape = 0xc0;
    ASSERT_EQ(tbk_target_tasks(driver, &shape, 1, &tasks), TBK_OK);
    ASSERT_EQ(tbk_target_limit(driver, tasks, 2 * tasks_count, 0), TBK_OK);
    const auto in_use = [] {
      const auto now = mallinfo2();
      return now.uordblks + now.hblkhd;
    };
    std::vector<tbk_ref_t> results(tasks_count);
    const uint32_t task = function(driver, "task");
    const std::string bytes = "arguments of a task";
    const size_t before = in_use();
    const uint64_t start = monotonic_ns();
    for (tbk_ref_t& result : results) {
      tbk_call_t request{};
      ASSERT_EQ(tbk_ref_reserve(driver, 1, &result), TBK_OK);
      request.result = result;
      request.target = tasks;
      request.function = task;
      request.args = payload(bytes);
      uint32_t accepted = 0;
      ASSERT_EQ(tbk_submit(driver, &request, 1, &accepted), TBK_OK) << tbk_last_error();
    }
    const uint64_t submitted = monotonic_ns();
    const size_t each = (in_use() - before) / tasks_count;
    std::atomic<uint64_t> served{0};
    tbk_endpoint_t* worker = session.attach(TBK_ROLE_WORKER);
    ScriptedServer server(worker, [&](const tbk_event_t& event) {
      ++served;
      reply(worker, event.call, "");
    });
    agent.lend(server.id());
    for (const tbk_ref_t result : results) {
      (void)get(driver, result);
      release(driver, result);
    }
    std::printf("%lu queued tasks: %zu bytes and %.0f ns to queue each, run in %.2f s\n",
                tasks_count, each,
                static_cast<double>(submitted - start) / static_cast<double>(tasks_count),
                static_cast<double>(monotonic_ns() - submitted) / 1e9);
    if (!kIsSanitized) {
      EXPECT_LT(each, 1000U);
    }
    EXPECT_EQ(served, tasks_count);
    EXPECT_EQ(target_stats(driver, tasks).calls_pending, 0U);
    EXPECT_EQ(stats(driver).pending_bytes, 0U);
  }
  tbk_detach(driver);
}

}  // namespace
}  // namespace thornback::testing
