// Calls that are sent again: after a death, after an exception, when, how often, and with what.
#include <gtest/gtest.h>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

class RetriesTest : public ::testing::Test {
 protected:
  uint32_t retries(uint32_t count, uint32_t flags = 0, const std::string& names = "",
                   uint64_t delay_ns = 0) {
    tbk_call_options_t options = call_options();
    options.retries = count;
    options.flags = flags;
    options.retry_on = names.data();
    options.retry_on_size = static_cast<uint32_t>(names.size());
    options.retry_delay_ns = delay_ns;
    return options_number(driver_, options);
  }
  ScriptedSession::Handler holding() {
    return [this](tbk_endpoint_t*, const tbk_event_t&) { ++received_; };
  }
  ScriptedSession::Handler echoing() {
    return [this](tbk_endpoint_t* worker, const tbk_event_t& event) {
      ++received_;
      reply(worker, event.call, text_of(event.value));
    };
  }
  void expect_received(uint64_t count) {
    ASSERT_TRUE(eventually([&] { return received_ >= count; }));
    EXPECT_EQ(received_, count);
  }
  void expect_nothing_left() {
    EXPECT_TRUE(eventually([&] {
      uint8_t ready = 0;
      (void)tbk_wait(driver_, nullptr, 0, 0, 0, &ready);  // looks at what has arrived
      const tbk_stats_t now = stats(driver_);
      return now.objects_live == 0 && now.calls_pending == 0 && now.pending_bytes == 0;
    })) << stats(driver_).objects_live
        << " objects, " << stats(driver_).calls_pending << " calls";
  }

  std::atomic<uint64_t> received_{0};
  ScriptedSession session_;
  tbk_endpoint_t* driver_ = session_.driver;
};

TEST_F(RetriesTest, ATaskIsTriedAsOftenAsAskedThenFails) {
  const tbk_target_t tasks = session_.open_tasks();
  const tbk_ref_t result = call_with(driver_, tasks, "task", payload("x"), {.options = retries(2)});
  for (uint64_t attempt = 1; attempt <= 3; ++attempt) {
    const size_t worker = session_.add_worker(holding());
    session_.agent.lend(session_.worker_id(worker));
    expect_received(attempt);
    session_.end_worker(worker);
  }
  expect_error(driver_, result, "WORKER_DIED");
  EXPECT_EQ(received_, 3U);
}

TEST_F(RetriesTest, ByDefaultACallRunsAtMostOnce) {
  const tbk_target_t tasks = session_.open_tasks();
  const tbk_ref_t result = call(driver_, tasks, "task", payload("x"));
  const size_t worker = session_.add_worker(holding());
  session_.agent.lend(session_.worker_id(worker));
  expect_received(1);
  session_.end_worker(worker);
  expect_error(driver_, result, "WORKER_DIED");
  EXPECT_EQ(received_, 1U);
}

TEST_F(RetriesTest, AnActorThatDoesNotComeBackFailsItsCallsAtOnce) {
  const size_t worker = session_.add_worker(holding());
  const tbk_target_t actor = session_.open_actor(worker, false);
  const tbk_ref_t at_once =
      call_with(driver_, actor, "method", payload("x"), {.options = retries(3)});
  const tbk_ref_t delayed =
      call_with(driver_, actor, "method", payload("x"), {.options = retries(3, 0, "", 50'000'000)});
  expect_received(2);
  session_.end_worker(worker);
  expect_error(driver_, at_once, "ACTOR_DIED");
  expect_error(driver_, delayed, "ACTOR_DIED");
  EXPECT_EQ(received_, 2U);
}

TEST_F(RetriesTest, ExceptionsAreRetriedOnlyWhenAskedAndByName) {
  const size_t worker =
      session_.add_worker([this](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
        ++received_;
        reply(endpoint, event.call, remote_error(text_of(event.value)), TBK_VALUE_ERROR);
      });
  const tbk_target_t actor = session_.open_actor(worker);
  struct Case {
    const char *names, *thrown;
    uint64_t attempts;
  };
  const Case cases[] = {
      {"", "ValueError", 3},
      {"ValueError", "ValueError", 3},
      {"ValueError", "builtins.ValueError", 3},
      {"KeyError\nValueError", "ValueError", 3},
      {"KeyError\n\nsome.module.Fancy\n", "some.module.Fancy", 3},
      {"some.module.Fancy", "Fancy", 1},
      {"some.module.Fancy", "other.module.Fancy", 1},
      {"ValueError", "MyValueError", 1},
      {"ValueError", "ValueError.Inner", 1},
      {"KeyError", "ValueError", 1},
  };
  for (const Case& each : cases) {
    received_ = 0;
    const std::string thrown = each.thrown;
    const CallSpec spec{.options = retries(2, TBK_OPTION_RETRY_ERRORS, each.names)};
    expect_error(driver_, call_with(driver_, actor, "raise", payload(thrown), spec), thrown);
    EXPECT_EQ(received_, each.attempts) << each.names << " / " << each.thrown;
  }
  received_ = 0;
  expect_error(driver_,
               call_with(driver_, actor, "raise", payload("ValueError"), {.options = retries(2)}),
               "ValueError");
  EXPECT_EQ(received_, 1U) << "without RETRY_ERRORS";
}

TEST_F(RetriesTest, ErrorsOfTheEngineAreNoExceptions) {
  const size_t worker =
      session_.add_worker([this](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
        ++received_;
        reply(endpoint, event.call,
              "\xc7\x0c\x08\x81\xa4"
              "code\xa5"
              "OTHER",
              TBK_VALUE_ERROR);
      });
  const tbk_target_t actor = session_.open_actor(worker);
  expect_error(driver_,
               call_with(driver_, actor, "raise", payload(""),
                         {.options = retries(5, TBK_OPTION_RETRY_ERRORS)}),
               "OTHER");
  EXPECT_EQ(received_, 1U);
}

TEST_F(RetriesTest, ARetryThatSucceedsIsTheResult) {
  const size_t worker =
      session_.add_worker([this](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
        if (++received_ % 3 != 0)
          return reply(endpoint, event.call, remote_error("Unlucky"), TBK_VALUE_ERROR);
        reply(endpoint, event.call, text_of(event.value));
      });
  const tbk_target_t actor = session_.open_actor(worker);
  const uint32_t options = retries(4, TBK_OPTION_RETRY_ERRORS);
  for (int i = 0; i < 50; ++i) {
    const std::string text = std::to_string(i);
    const tbk_ref_t result = call_with(driver_, actor, "try", payload(text), {.options = options});
    EXPECT_EQ(get(driver_, result), text);
    release(driver_, result);
  }
  EXPECT_EQ(received_, 150U);
  expect_nothing_left();
}

// A retry waits at least three quarters of the delay, twice as long each time, at most 64 times.
TEST_F(RetriesTest, BacksOff) {
  std::mutex mutex;
  std::vector<uint64_t> times;
  const size_t worker =
      session_.add_worker([&](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
        {
          const std::lock_guard<std::mutex> lock(mutex);
          times.push_back(monotonic_ns());
        }
        reply(endpoint, event.call, remote_error("Error"), TBK_VALUE_ERROR);
      });
  const tbk_target_t actor = session_.open_actor(worker);
  constexpr uint64_t kDelayNs = 500'000;
  const uint32_t options = retries(9, TBK_OPTION_RETRY_ERRORS, "", kDelayNs);
  uint64_t last_gap = UINT64_MAX;
  for (int round = 0; round < 3; ++round) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      times.clear();
    }
    expect_error(driver_, call_with(driver_, actor, "raise", payload(""), {.options = options}),
                 "REMOTE_ERROR");
    const std::lock_guard<std::mutex> lock(mutex);
    ASSERT_EQ(times.size(), 10U);
    std::printf("retries after ms:");
    for (size_t i = 1; i < times.size(); ++i) {
      const uint64_t gap = times[i] - times[i - 1];
      const uint64_t nominal = kDelayNs << std::min<size_t>(i - 1, 6);
      EXPECT_GE(gap, nominal * 3 / 4) << i;
      std::printf(" %.1f (%.1f)", static_cast<double>(gap) / 1e6,
                  static_cast<double>(nominal) / 1e6);
    }
    std::printf("\n");
    last_gap = std::min(last_gap, times[9] - times[8]);
  }
  EXPECT_LT(last_gap, kDelayNs * 256 * 3 / 4) << "the ninth delay is not doubled any more";
}

TEST_F(RetriesTest, ACancelledCallIsNotRetried) {
  const tbk_target_t tasks = session_.open_tasks();
  const size_t worker = session_.add_worker(holding());
  session_.agent.lend(session_.worker_id(worker));
  const tbk_ref_t result = call_with(driver_, tasks, "task", payload("x"), {.options = retries(5)});
  expect_received(1);
  ASSERT_EQ(tbk_cancel(driver_, result, 0), TBK_OK);
  const size_t other = session_.add_worker(holding());
  session_.agent.lend(session_.worker_id(other));
  session_.end_worker(worker);
  expect_error(driver_, result, "CANCELLED");
  EXPECT_EQ(received_, 1U);
}

TEST_F(RetriesTest, ACallThatWaitsForItsNextAttemptCanBeCancelled) {
  const size_t worker =
      session_.add_worker([this](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
        ++received_;
        reply(endpoint, event.call, remote_error("Error"), TBK_VALUE_ERROR);
      });
  const tbk_target_t actor = session_.open_actor(worker);
  const CallSpec spec{.options = retries(5, TBK_OPTION_RETRY_ERRORS, "", 30'000'000)};
  const tbk_ref_t result = call_with(driver_, actor, "raise", payload("x"), spec);
  uint8_t ready = 0;
  while (received_ == 0) (void)tbk_wait(driver_, &result, 1, 1, 1'000'000, &ready);
  EXPECT_EQ(tbk_wait(driver_, &result, 1, 1, 5'000'000, &ready), TBK_TIMEOUT);
  ASSERT_EQ(tbk_cancel(driver_, result, 0), TBK_OK);
  expect_error(driver_, result, "CANCELLED");
  EXPECT_EQ(tbk_wait(driver_, nullptr, 0, 1, 0, nullptr), TBK_OK);
  work_for_ns(60'000'000);
  EXPECT_EQ(received_, 1U);
  expect_nothing_left();
}

TEST_F(RetriesTest, OnlyAStreamThatHasNotBegunIsRetried) {
  for (const bool has_begun : {false, true}) {
    received_ = 0;
    const auto serve = [&](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
      tbk_reply_t item{};
      item.call = event.call;
      item.flags = TBK_REPLY_ITEM;
      item.value = payload("item");
      uint32_t accepted = 0;
      if (has_begun || received_ > 0) {
        EXPECT_EQ(tbk_reply(endpoint, &item, 1, &accepted), TBK_OK);
      }
      if (received_++ > 0) reply(endpoint, event.call, "");
    };
    const tbk_target_t tasks = session_.open_tasks();
    const size_t worker = session_.add_worker(serve);
    session_.agent.lend(session_.worker_id(worker));
    const tbk_ref_t stream = call_with(driver_, tasks, "count", payload(""),
                                       {.flags = TBK_CALL_STREAM, .options = retries(1)});
    expect_received(1);
    uint8_t ready = 0;
    tbk_ref_t item = 0;
    if (has_begun) {
      ASSERT_EQ(tbk_wait(driver_, &stream, 1, 1, 10'000'000'000, &ready), TBK_OK);
      ASSERT_EQ(tbk_stream_next(driver_, stream, &item), TBK_OK);
      EXPECT_EQ(get(driver_, item), "item");
      release(driver_, item);
    }
    const size_t other = session_.add_worker(serve);
    session_.agent.lend(session_.worker_id(other));
    session_.end_worker(worker);
    ASSERT_EQ(tbk_wait(driver_, &stream, 1, 1, 10'000'000'000, &ready), TBK_OK);
    ASSERT_EQ(tbk_stream_next(driver_, stream, &item), TBK_OK);
    if (has_begun) {
      expect_error(driver_, item, "WORKER_DIED");
    } else {
      EXPECT_EQ(get(driver_, item), "item");
    }
    EXPECT_EQ(received_, has_begun ? 1U : 2U);
    release(driver_, item);
    release(driver_, stream);
    session_.end_worker(other);
  }
}

TEST_F(RetriesTest, StoredArgumentsAndRefsSurviveAndAreFreed) {
  const std::string large(1 << 20, 'a'), medium(100'000, 'm');
  const tbk_target_t tasks = session_.open_tasks();
  for (int round = 0; round < 5; ++round) {
    received_ = 0;
    tbk_ref_t inner = 0, outer = 0;
    const tbk_payload_t inner_value = payload(medium), outer_value = payload("small");
    ASSERT_EQ(tbk_put(driver_, &inner_value, &inner), TBK_OK);
    ASSERT_EQ(tbk_put(driver_, &outer_value, &outer), TBK_OK);
    const std::vector<tbk_ref_entry_t> refs{
        {inner, TBK_REF_RESOLVE, 0}, {outer, TBK_REF_RESOLVE, 0}, {inner, 0, 0}};
    const tbk_ref_t result =
        call_with(driver_, tasks, "task", payload(large, refs), {.options = retries(3)});
    release(driver_, inner);
    release(driver_, outer);
    std::vector<size_t> workers;
    for (uint64_t attempt = 1; attempt <= 2; ++attempt) {
      workers.push_back(session_.add_worker(holding()));
      session_.agent.lend(session_.worker_id(workers.back()));
      expect_received(attempt);
      session_.end_worker(workers.back());
    }
    std::atomic<tbk_endpoint_t*> last{nullptr};
    const size_t worker =
        session_.add_worker([&](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
          EXPECT_EQ(event.value.ref_count, 3U);
          EXPECT_EQ(text_of(event.value), large);
          EXPECT_EQ(get(endpoint, event.value.refs[0].ref), medium);
          EXPECT_EQ(get(endpoint, event.value.refs[1].ref), "small");
          EXPECT_EQ(get(endpoint, event.value.refs[2].ref), medium);
          last = endpoint;
          reply(endpoint, event.call, large);
        });
    session_.agent.lend(session_.worker_id(worker));
    EXPECT_EQ(get(driver_, result), large);
    release(driver_, result);
    expect_nothing_left();
    // The worker has let go of everything as well.
    EXPECT_TRUE(eventually([&] {
      const tbk_stats_t now = stats(last);
      return now.objects_live == 0 && now.refs_live == 0;
    })) << stats(last).objects_live
        << " objects, " << stats(last).refs_live << " refs";
    EXPECT_EQ(stats(driver_).refs_live, 0U);
    session_.end_worker(worker);
  }
}

// The call behind it waits for its result, so it must not be sent again behind that one.
TEST_F(RetriesTest, ACallIsSentAgainBeforeThoseThatWaitForIt) {
  const size_t worker =
      session_.add_worker([this](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
        if (++received_ == 2)
          return reply(endpoint, event.call, remote_error("Error"), TBK_VALUE_ERROR);
        reply(endpoint, event.call, "done");
      });
  const tbk_target_t actor = session_.open_actor(worker);
  for (const uint64_t delay_ns : {0U, 2'000'000U}) {
    received_ = 0;
    const uint32_t options = retries(1, TBK_OPTION_RETRY_ERRORS, "", delay_ns);
    (void)call_with(driver_, actor, "fails not", payload(""), {});
    const tbk_ref_t first =
        call_with(driver_, actor, "fails once", payload(""), {.options = options});
    const std::vector<tbk_ref_entry_t> refs{{first, TBK_REF_RESOLVE, 0}};
    const tbk_ref_t second = call(driver_, actor, "needs it", payload("", refs));
    EXPECT_EQ(get(driver_, second), "done");
    EXPECT_EQ(get(driver_, first), "done");
  }
}

TEST_F(RetriesTest, AnUnorderedCallThatMayBeRetriedOvertakesToo) {
  const size_t worker =
      session_.add_worker([this](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
        if (name_of(endpoint, event.function) == "hold") return;
        ++received_;
        reply(endpoint, event.call, text_of(event.value));
      });
  const tbk_target_t actor = session_.open_actor(worker);
  const tbk_ref_t never = call(driver_, actor, "hold", payload(""));
  const std::vector<tbk_ref_entry_t> refs{{never, TBK_REF_RESOLVE, 0}};
  (void)call(driver_, actor, "echo", payload("waits", refs));
  for (const uint32_t count : {0U, 2U}) {
    const CallSpec spec{.options = retries(count, TBK_OPTION_UNORDERED)};
    EXPECT_EQ(get(driver_, call_with(driver_, actor, "echo", payload("first"), spec)), "first")
        << count;
  }
}

}  // namespace
}  // namespace thornback::testing
