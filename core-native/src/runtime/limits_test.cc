// What may be pending at a target: refusal at the limit, room after half, and who is told.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include <algorithm>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

class LimitsTest : public ::testing::Test {
 protected:
  // Calls are held until the test answers them.
  void hold(const tbk_event_t& event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_.push_back(event.call);
  }
  size_t held() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return held_.size();
  }
  // Answers the calls that were held longest.
  void answer(size_t count) {
    ASSERT_TRUE(eventually([&] { return held() >= count; }));
    const std::lock_guard<std::mutex> lock(mutex_);
    for (size_t i = 0; i < count; ++i) reply(worker_, held_[i], "done");
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  void fail_all(const std::string& message) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const tbk_incoming_t call : held_) reply(worker_, call, message, TBK_VALUE_ERROR);
    held_.clear();
  }
  tbk_ref_t submit(const tbk_payload_t& args = payload("")) {
    return call_with(driver_, target_, "hold", args, {});
  }
  tbk_status_t refused(const tbk_payload_t& args = payload("")) {
    tbk_ref_t result = 0;
    return try_call(driver_, target_, "hold", args, {}, result);
  }
  void limit(uint64_t calls, uint64_t bytes) {
    ASSERT_EQ(tbk_target_limit(driver_, target_, calls, bytes), TBK_OK);
  }
  // How many events of room for the target come until the endpoint is quiet.
  int room_events() {
    int found = 0;
    tbk_event_t event{};
    uint32_t count = 0;
    while (tbk_poll(driver_, &event, 1, 20'000'000, &count) == TBK_OK) {
      if (event.kind != TBK_EVENT_ROOM) continue;
      EXPECT_EQ(event.instance, target_);
      EXPECT_EQ(event.call, 0U);
      ++found;
    }
    return found;
  }
  uint64_t bytes_pending() { return target_stats(driver_, target_).bytes_pending; }

  std::mutex mutex_;
  std::vector<tbk_incoming_t> held_;
  Session session_;
  tbk_endpoint_t* driver_ = session_.attach();
  tbk_endpoint_t* worker_ = session_.attach(TBK_ROLE_WORKER);
  ScriptedServer server_{worker_, [this](const tbk_event_t& event) { hold(event); }};
  tbk_target_t target_ = open_target(driver_, server_.id());
};

TEST_F(LimitsTest, RefusesExactlyAtTheLimitOfCalls) {
  limit(10, 0);
  std::vector<tbk_ref_t> results;
  for (int i = 0; i < 10; ++i) results.push_back(submit());
  EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
  const std::string error = tbk_last_error();
  EXPECT_NE(error.find("10 calls with 0 bytes of arguments are pending there"), std::string::npos)
      << error;
  EXPECT_NE(error.find("the limits are 10 calls and 16777216 bytes"), std::string::npos) << error;
  const tbk_target_stats_t full = target_stats(driver_, target_);
  EXPECT_EQ(full.calls_pending, 10U);
  EXPECT_EQ(full.calls_max, 10U);
  EXPECT_EQ(full.refused, 1U);
  answer(1);
  EXPECT_EQ(get(driver_, results.front()), "done");
  const tbk_ref_t next = submit();
  EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
  answer(10);
  EXPECT_EQ(get(driver_, next), "done");
  EXPECT_EQ(target_stats(driver_, target_).calls_pending, 0U);
  EXPECT_EQ(target_stats(driver_, target_).refused, 2U);
}

TEST_F(LimitsTest, AcceptedTellsHowManyOfABatchWereTaken) {
  limit(3, 0);
  std::vector<tbk_call_t> batch(5);
  for (tbk_call_t& each : batch) {
    ASSERT_EQ(tbk_ref_reserve(driver_, 1, &each.result), TBK_OK);
    each.target = target_;
    each.function = function(driver_, "hold");
  }
  uint32_t accepted = 0;
  EXPECT_EQ(tbk_submit(driver_, batch.data(), 5, &accepted), TBK_BACK_PRESSURE);
  EXPECT_EQ(accepted, 3U);
  answer(3);
  EXPECT_EQ(get(driver_, batch[2].result), "done");
  EXPECT_EQ(tbk_submit(driver_, batch.data() + 3, 2, &accepted), TBK_OK)
      << "a refused call is as good as new";
  answer(2);
  EXPECT_EQ(get(driver_, batch[4].result), "done");
}

TEST_F(LimitsTest, OneLargeCallAlwaysPasses) {
  limit(0, 100);
  const std::string large(2'000'000, 'l');
  const tbk_ref_t first = submit(payload(large));
  EXPECT_EQ(refused(payload("x")), TBK_BACK_PRESSURE);
  answer(1);
  EXPECT_EQ(get(driver_, first), "done");
  const tbk_ref_t second = submit(payload(large));
  answer(1);
  EXPECT_EQ(get(driver_, second), "done");
  EXPECT_EQ(bytes_pending(), 0U);
}

TEST_F(LimitsTest, BytesOfEveryKindOfArgumentCount) {
  const std::string small(1000, 's'), large(50'000, 'l');
  (void)submit(payload(small));
  EXPECT_EQ(bytes_pending(), 1000U);
  (void)submit(payload(large));
  EXPECT_EQ(bytes_pending(), 51'000U);

  tbk_buffer_t buffer{};
  ASSERT_EQ(tbk_buffer_create(driver_, 70'000, &buffer), TBK_OK);
  tbk_payload_t from_buffer{};
  from_buffer.buffer_token = buffer.token;
  (void)submit(from_buffer);
  EXPECT_EQ(bytes_pending(), 121'000U);

  tbk_ref_t inline_value = 0, stored_value = 0;
  const tbk_payload_t values[] = {payload(small), payload(large)};
  ASSERT_EQ(tbk_put(driver_, &values[0], &inline_value), TBK_OK);
  ASSERT_EQ(tbk_put(driver_, &values[1], &stored_value), TBK_OK);
  const std::string empty;
  const std::vector<tbk_ref_entry_t> resolved{{inline_value, TBK_REF_RESOLVE, 0},
                                              {stored_value, TBK_REF_RESOLVE, 0}};
  (void)submit(payload(empty, resolved));
  EXPECT_EQ(bytes_pending(), 172'000U);
  const std::vector<tbk_ref_entry_t> passed{{stored_value, 0, 0}};
  (void)submit(payload(empty, passed));
  EXPECT_EQ(bytes_pending(), 172'000U) << "a ref that is only passed on moves no bytes";

  limit(0, 172'000);
  EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
  answer(5);
  EXPECT_TRUE(eventually([&] {
    return tbk_target_room(driver_, target_, 1'000'000) == TBK_OK && bytes_pending() == 0;
  }));
  tbk_ref_release(driver_, &inline_value, 1);
  tbk_ref_release(driver_, &stored_value, 1);
}

TEST_F(LimitsTest, ARefusedBufferIsStillTheCallers) {
  limit(1, 0);
  (void)submit();
  tbk_buffer_t buffer{};
  ASSERT_EQ(tbk_buffer_create(driver_, 1000, &buffer), TBK_OK);
  tbk_payload_t from_buffer{};
  from_buffer.buffer_token = buffer.token;
  EXPECT_EQ(refused(from_buffer), TBK_BACK_PRESSURE);
  EXPECT_EQ(tbk_buffer_discard(driver_, buffer.token), TBK_OK);
}

TEST_F(LimitsTest, ThereIsRoomAgainWhenHalfIsFree) {
  limit(10, 0);
  std::vector<tbk_ref_t> results;
  for (int i = 0; i < 10; ++i) results.push_back(submit());
  EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
  answer(4);
  EXPECT_EQ(get(driver_, results[3]), "done");
  EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_WOULD_BLOCK) << "six of ten are pending";
  EXPECT_EQ(tbk_target_room(driver_, target_, 1'000'000), TBK_TIMEOUT);
  answer(1);
  EXPECT_EQ(get(driver_, results[4]), "done");
  EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_OK);
  answer(5);
}

TEST_F(LimitsTest, AFullTargetHasNoRoomEvenIfNothingWasRefused) {
  limit(2, 0);
  EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_OK);
  (void)submit();
  EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_OK);
  const tbk_ref_t last = submit();
  EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_WOULD_BLOCK);
  answer(2);
  EXPECT_EQ(get(driver_, last), "done");
  EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_OK);
  EXPECT_EQ(room_events(), 1);
}

TEST_F(LimitsTest, RoomIsAnnouncedOnceByAnEvent) {
  limit(10, 0);
  for (int round = 0; round < 20; ++round) {
    std::vector<tbk_ref_t> results;
    for (int i = 0; i < 10; ++i) results.push_back(submit());
    EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
    EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_WOULD_BLOCK);
    EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_WOULD_BLOCK);
    answer(10);
    EXPECT_EQ(get(driver_, results.back()), "done");
    ASSERT_EQ(room_events(), 1);
    tbk_ref_release(driver_, results.data(), 10);
  }
  EXPECT_EQ(room_events(), 0) << "nobody asked";
}

// Time from the reply that frees half until a thread that waits for room goes on.
TEST_F(LimitsTest, AThreadThatWaitsForRoomGoesOnAtOnce) {
  for (const bool somebody_else_pumps : {false, true}) {
    std::vector<uint64_t> times;
    std::atomic<bool> is_over{false};
    std::thread pumping;
    tbk_ref_t never = 0;
    ASSERT_EQ(tbk_ref_reserve(driver_, 1, &never), TBK_OK);
    if (somebody_else_pumps) {
      pumping = std::thread([&] {
        uint8_t ready = 0;
        while (!is_over) (void)tbk_wait(driver_, &never, 1, 1, 20'000'000, &ready);
      });
    }
    limit(2, 0);
    for (int round = 0; round < 40; ++round) {
      const tbk_ref_t first = submit(), second = submit();
      EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
      ASSERT_TRUE(eventually([&] { return held() == 2; }));
      std::atomic<bool> is_waiting{false};
      std::atomic<uint64_t> went_on{0};
      std::thread waiting([&] {
        is_waiting = true;
        tbk_status_t status = TBK_INTERRUPTED;
        while (status == TBK_INTERRUPTED) status = tbk_target_room(driver_, target_, 5'000'000'000);
        went_on = monotonic_ns();
        EXPECT_EQ(status, TBK_OK);
      });
      ASSERT_TRUE(eventually([&] { return is_waiting.load(); }));
      work_for_ns(2'000'000);
      const uint64_t start = monotonic_ns();
      answer(1);
      waiting.join();
      times.push_back(went_on - start);
      answer(1);
      EXPECT_EQ(get(driver_, second), "done");
      release(driver_, first);
      release(driver_, second);
    }
    is_over = true;
    if (pumping.joinable()) pumping.join();
    std::sort(times.begin(), times.end());
    std::printf("room seen after %.0f us (median of 40)%s, %.0f us at most\n",
                static_cast<double>(times[20]) / 1e3,
                somebody_else_pumps ? " by a thread that does not pump" : "",
                static_cast<double>(times.back()) / 1e3);
    if (!kIsSanitized) {
      EXPECT_LT(times[20], 5'000'000U);
    }
  }
}

TEST_F(LimitsTest, ADeadTargetHasRoom) {
  limit(2, 0);
  std::vector<tbk_ref_t> results{submit(), submit()};
  EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
  EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_WOULD_BLOCK);
  server_.stop();
  session_.detach(worker_);
  EXPECT_EQ(tbk_target_room(driver_, target_, 10'000'000'000), TBK_OK);
  EXPECT_EQ(room_events(), 1);
  for (const tbk_ref_t result : results)
    EXPECT_NE(get(driver_, result).find("ACTOR_DIED"), std::string::npos);
  for (int i = 0; i < 5; ++i)
    EXPECT_NE(get(driver_, submit()).find("ACTOR_DIED"), std::string::npos);
  EXPECT_EQ(target_stats(driver_, target_).calls_pending, 0U);
}

// The calls that are pending have not been sent when the target turns out to be dead.
TEST_F(LimitsTest, AnActorThatWasNeverMadeGivesRoomAtAnyLimit) {
  for (const uint64_t calls : {1U, 2U, 3U}) {
    tbk_ref_t address = call(driver_, target_, "hold", payload(""));
    tbk_target_t actor = 0;
    ASSERT_EQ(tbk_target_actor(driver_, address, nullptr, &actor), TBK_OK);
    ASSERT_EQ(tbk_target_limit(driver_, actor, calls, 0), TBK_OK);
    std::vector<tbk_ref_t> results;
    for (uint64_t i = 0; i < calls; ++i)
      results.push_back(call(driver_, actor, "method", payload("")));
    tbk_ref_t one_more = 0;
    EXPECT_EQ(try_call(driver_, actor, "method", payload(""), {}, one_more), TBK_BACK_PRESSURE);
    EXPECT_EQ(tbk_target_room(driver_, actor, 0), TBK_WOULD_BLOCK);
    ASSERT_TRUE(eventually([&] { return held() == 1; }));
    fail_all("no such class");
    for (const tbk_ref_t result : results) EXPECT_EQ(get(driver_, result), "no such class");
    EXPECT_EQ(tbk_target_room(driver_, actor, 0), TBK_OK);
    int rooms = 0;
    tbk_event_t event{};
    uint32_t count = 0;
    while (tbk_poll(driver_, &event, 1, 20'000'000, &count) == TBK_OK)
      rooms += event.kind == TBK_EVENT_ROOM && event.instance == actor ? 1 : 0;
    EXPECT_EQ(rooms, 1) << calls;
    tbk_target_release(driver_, actor);
  }
}

TEST_F(LimitsTest, RaisingALimitGivesRoom) {
  limit(4, 0);
  for (int i = 0; i < 4; ++i) (void)submit();
  EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
  EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_WOULD_BLOCK);
  limit(8, 0);
  EXPECT_EQ(tbk_target_room(driver_, target_, 0), TBK_OK);
  EXPECT_EQ(room_events(), 1);
  answer(4);
}

TEST_F(LimitsTest, WhoWaitsForRoomHearsOfItFromAnotherThread) {
  limit(1, 0);
  submit();
  EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
  std::atomic<bool> is_waiting{false};
  tbk_status_t status = TBK_INVALID;
  std::thread waiting([&] {
    is_waiting = true;
    do {
      status = tbk_target_room(driver_, target_, 60'000'000'000);
    } while (status == TBK_INTERRUPTED);
  });
  ASSERT_TRUE(eventually([&] { return is_waiting.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const uint64_t start = monotonic_ns();
  limit(10, 0);
  waiting.join();
  EXPECT_EQ(status, TBK_OK);
  EXPECT_LT(monotonic_ns() - start, 20'000'000'000U);  // otherwise it sleeps to its own limit
}

TEST_F(LimitsTest, TheTimeWithoutRoomIsCounted) {
  limit(2, 0);
  EXPECT_EQ(target_stats(driver_, target_).throttled_ns, 0U);
  const tbk_ref_t first = submit(), second = submit();
  EXPECT_EQ(target_stats(driver_, target_).throttled_ns, 0U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(refused(), TBK_BACK_PRESSURE);
  work_for_ns(20'000'000);
  const uint64_t meanwhile = target_stats(driver_, target_).throttled_ns;
  EXPECT_GE(meanwhile, 20'000'000U) << "counted while it lasts";
  answer(2);
  EXPECT_EQ(get(driver_, first), "done");
  EXPECT_EQ(get(driver_, second), "done");
  const uint64_t after = target_stats(driver_, target_).throttled_ns;
  EXPECT_GE(after, meanwhile);
  work_for_ns(1'000'000);
  EXPECT_EQ(target_stats(driver_, target_).throttled_ns, after) << "it is over";
  EXPECT_EQ(target_stats(driver_, target_).refused, 5U);
}

class EndpointLimitsTest : public LimitsTest {
 protected:
  tbk_endpoint_t* attach(uint64_t calls_max, uint64_t bytes_max) {
    own_ = std::make_unique<Session>(folder_.socket(), 64 << 20);
    const std::string socket = folder_.socket();
    tbk_attach_options_t options = attach_options(socket, TBK_ROLE_DRIVER);
    options.pending_calls_max = calls_max;
    options.pending_bytes_max = bytes_max;
    EXPECT_EQ(tbk_attach(&options, &limited_), TBK_OK);
    for (int i = 0; i < 2; ++i) workers_.push_back(own_->attach(TBK_ROLE_WORKER));
    return limited_;
  }
  ~EndpointLimitsTest() override {
    if (limited_ != nullptr) tbk_detach(limited_);
  }

  PrivateFolder folder_;
  std::unique_ptr<Session> own_;
  tbk_endpoint_t* limited_ = nullptr;
  std::vector<tbk_endpoint_t*> workers_;
};

TEST_F(EndpointLimitsTest, HoldForAllTargetsTogether) {
  tbk_endpoint_t* limited = attach(10, 0);
  std::atomic<bool> may_answer{false};
  const auto serve = [&](tbk_endpoint_t* worker) {
    return [&may_answer, worker](const tbk_event_t& event) {
      (void)eventually([&] { return may_answer.load(); });
      reply(worker, event.call, "done");
    };
  };
  ScriptedServer first(workers_[0], serve(workers_[0])), second(workers_[1], serve(workers_[1]));
  const tbk_target_t targets[] = {open_target(limited, first.id()),
                                  open_target(limited, second.id())};
  std::vector<tbk_ref_t> results;
  for (size_t i = 0; i < 10; ++i)
    results.push_back(call(limited, targets[i % 2], "hold", payload("")));
  for (const tbk_target_t target : targets) {
    tbk_ref_t result = 0;
    EXPECT_EQ(try_call(limited, target, "hold", payload(""), {}, result), TBK_BACK_PRESSURE);
    EXPECT_NE(std::string(tbk_last_error()).find("10 calls"), std::string::npos);
    EXPECT_NE(std::string(tbk_last_error()).find("in this process"), std::string::npos);
    EXPECT_EQ(tbk_target_room(limited, target, 0), TBK_WOULD_BLOCK);
  }
  may_answer = true;
  for (const tbk_ref_t result : results) EXPECT_EQ(get(limited, result), "done");
  int rooms = 0;
  tbk_event_t event{};
  uint32_t count = 0;
  while (tbk_poll(limited, &event, 1, 20'000'000, &count) == TBK_OK)
    rooms += event.kind == TBK_EVENT_ROOM ? 1 : 0;
  EXPECT_EQ(rooms, 2) << "one for each target that was asked about";
  EXPECT_EQ(get(limited, call(limited, targets[0], "hold", payload(""))), "done");
}

// One-way calls are not counted as pending, but their queued bytes are.
TEST_F(EndpointLimitsTest, QueuedOneWayCallsGiveRoomWhenTheyAreSent) {
  tbk_endpoint_t* limited = attach(0, 10'000);
  std::atomic<uint64_t> received{0};
  ScriptedServer server(workers_[0], [&](const tbk_event_t& event) {
    ++received;
    reply(workers_[0], event.call, "done");
  });
  const tbk_target_t target = open_target(limited, server.id());
  tbk_ref_t address = 0;
  ASSERT_EQ(tbk_ref_reserve(limited, 1, &address), TBK_OK);
  tbk_incoming_t asked = 0;
  std::atomic<bool> is_asked{false};
  ScriptedServer other(workers_[1], [&](const tbk_event_t& event) {
    asked = event.call;
    is_asked = true;
  });
  release(limited, address);
  address = call(limited, open_target(limited, other.id()), "address", payload(""));
  tbk_target_t actor = 0;
  ASSERT_EQ(tbk_target_actor(limited, address, nullptr, &actor), TBK_OK);
  const std::string bytes(12'000, 'o');
  tbk_call_t one_way{};
  one_way.target = actor;
  one_way.function = function(limited, "note");
  one_way.args = payload(bytes);
  uint32_t accepted = 0;
  ASSERT_EQ(tbk_submit(limited, &one_way, 1, &accepted), TBK_OK);
  ASSERT_EQ(stats(limited).pending_bytes, 12'000U);
  tbk_ref_t result = 0;
  EXPECT_EQ(try_call(limited, target, "echo", payload(""), {}, result), TBK_BACK_PRESSURE);
  ASSERT_TRUE(eventually([&] { return is_asked.load(); }));
  reply(workers_[1], asked, address_of(server.id(), 1));
  tbk_status_t status = TBK_INTERRUPTED;
  while (status == TBK_INTERRUPTED) status = tbk_target_room(limited, target, 5'000'000'000);
  EXPECT_EQ(status, TBK_OK);
  EXPECT_EQ(get(limited, call(limited, target, "echo", payload(""))), "done");
  EXPECT_EQ(stats(limited).pending_bytes, 0U);
}

}  // namespace
}  // namespace thornback::testing
