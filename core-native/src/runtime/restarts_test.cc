// Actors that come back at another endpoint: which calls go there, in which order, and which fail.
#include <gtest/gtest.h>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

class RestartsTest : public ::testing::Test {
 protected:
  uint32_t retries(uint32_t count) {
    tbk_call_options_t options = call_options();
    options.retries = count;
    return options_number(driver_, options);
  }
  // A worker that keeps the texts of the calls it got, and answers those that are not "hold".
  size_t add_worker() {
    return session_.add_worker([this](tbk_endpoint_t* endpoint, const tbk_event_t& event) {
      if (name_of(endpoint, event.function) != "hold") reply(endpoint, event.call, "answered");
      const std::lock_guard<std::mutex> lock(mutex_);
      received_.push_back(text_of(event.value));
    });
  }
  void expect_received(const std::vector<std::string>& texts) {
    ASSERT_TRUE(eventually([&] {
      const std::lock_guard<std::mutex> lock(mutex_);
      return received_.size() >= texts.size();
    }));
    const std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_EQ(std::exchange(received_, {}), texts);
  }
  tbk_ref_t send(tbk_target_t actor, const std::string& name, int number, uint32_t options = 0) {
    return call_with(driver_, actor, name, payload(std::to_string(number)), {.options = options});
  }
  // The agent hears where the actor was and says where it is now.
  void restart_at(size_t dead, size_t worker) {
    EXPECT_EQ(next_dead(), session_.worker_id(dead));
    session_.agent.answer_address(address_of(session_.worker_id(worker), 1));
  }
  // A call that is made now reaches nobody there, and does not even go out.
  void until_gone(uint32_t worker) {
    EXPECT_TRUE(eventually([&] {
      bool is_error = false;
      const tbk_ref_t probe = call(driver_, open_target(driver_, worker), "method", payload(""));
      get(driver_, probe, &is_error);
      release(driver_, probe);
      return is_error;
    }));
  }
  uint32_t next_dead() {
    uint8_t ready = 0;
    (void)tbk_wait(driver_, nullptr, 0, 0, 0, &ready);
    return session_.agent.next_address_request();
  }

  std::mutex mutex_;
  std::vector<std::string> received_;
  ScriptedSession session_;
  tbk_endpoint_t* driver_ = session_.driver;
};

TEST_F(RestartsTest, UnsentCallsGoToTheNewIncarnationInOrder) {
  const size_t first = add_worker();
  const tbk_target_t actor = session_.open_actor(first);
  const tbk_ref_t held = send(actor, "hold", -1);
  expect_received({"-1"});
  session_.end_worker(first);
  expect_error(driver_, held, "ACTOR_UNAVAILABLE");
  std::vector<tbk_ref_t> results;
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    results.push_back(send(actor, "method", i));
    expected.push_back(std::to_string(i));
  }
  const size_t second = add_worker();
  restart_at(first, second);
  for (const tbk_ref_t result : results) EXPECT_EQ(get(driver_, result), "answered");
  expect_received(expected);
}

TEST_F(RestartsTest, CallsInFlightAreRetriedInOrderBeforeTheUnsent) {
  const size_t first = add_worker();
  const tbk_target_t actor = session_.open_actor(first);
  std::vector<tbk_ref_t> retried, failed;
  std::vector<std::string> sent, expected;
  for (int i = 0; i < 300; ++i) {
    const bool is_retried = i % 3 != 0;
    (is_retried ? retried : failed).push_back(send(actor, "hold", i, is_retried ? retries(1) : 0));
    sent.push_back(std::to_string(i));
    if (is_retried) expected.push_back(std::to_string(i));
  }
  expect_received(sent);
  session_.end_worker(first);
  for (const tbk_ref_t result : failed) expect_error(driver_, result, "ACTOR_UNAVAILABLE");
  for (int i = 300; i < 400; ++i) {
    (void)send(actor, "hold", i, i % 2 == 0 ? retries(1) : 0);
    expected.push_back(std::to_string(i));
  }
  const size_t second = add_worker();
  restart_at(first, second);
  expect_received(expected);
  // The retry of the first ones is used up.
  session_.end_worker(second);
  for (const tbk_ref_t result : retried) expect_error(driver_, result, "ACTOR_UNAVAILABLE");
  const size_t third = add_worker();
  restart_at(second, third);
  std::vector<std::string> left;
  for (int i = 300; i < 400; i += 2) left.push_back(std::to_string(i));
  expect_received(left);
}

TEST_F(RestartsTest, AnErrorOfTheAgentFailsAllCalls) {
  const size_t first = add_worker();
  const tbk_target_t actor = session_.open_actor(first);
  tbk_call_options_t patient = call_options();
  patient.retries = 5;
  patient.retry_delay_ns = 5'000'000'000;
  const tbk_ref_t retried = send(actor, "hold", 0, retries(5));
  const tbk_ref_t delayed = send(actor, "hold", 1, options_number(driver_, patient));
  expect_received({"0", "1"});
  session_.end_worker(first);
  EXPECT_EQ(next_dead(), session_.worker_id(first));
  const tbk_ref_t unsent = send(actor, "method", 2);
  session_.agent.answer_address("it failed in its constructor", TBK_VALUE_ERROR);
  for (const tbk_ref_t result : {unsent, retried, delayed, send(actor, "method", 3)}) {
    bool is_error = false;
    EXPECT_EQ(get(driver_, result, &is_error), "it failed in its constructor");
    EXPECT_TRUE(is_error);
  }
  EXPECT_EQ(stats(driver_).calls_pending, 0U);
}

TEST_F(RestartsTest, ANewIncarnationThatIsDeadAlreadyIsAskedForAgain) {
  const size_t first = add_worker();
  const tbk_target_t actor = session_.open_actor(first);
  EXPECT_EQ(get(driver_, send(actor, "method", 0)), "answered");
  session_.end_worker(first);
  until_gone(session_.worker_id(first));
  const size_t second = add_worker();
  const tbk_ref_t result = send(actor, "method", 1);
  EXPECT_EQ(next_dead(), session_.worker_id(first));
  const uint32_t dead = session_.worker_id(second);
  session_.end_worker(second);
  until_gone(dead);
  session_.agent.answer_address(address_of(dead, 1));
  const size_t third = add_worker();
  restart_at(second, third);
  EXPECT_EQ(get(driver_, result), "answered");
}

TEST_F(RestartsTest, AnUnorderedCallWhoseArgumentComesTooLateFails) {
  std::atomic<tbk_incoming_t> held{0};
  const size_t keeper =
      session_.add_worker([&](tbk_endpoint_t*, const tbk_event_t& event) { held = event.call; });
  const size_t mortal = add_worker();
  const tbk_target_t actor = session_.open_actor(mortal, false);
  EXPECT_EQ(get(driver_, send(actor, "method", 0)), "answered");
  tbk_call_options_t options = call_options();
  options.flags = TBK_OPTION_UNORDERED;
  const tbk_ref_t argument =
      call(driver_, open_target(driver_, session_.worker_id(keeper)), "late", payload(""));
  const std::vector<tbk_ref_entry_t> refs{{argument, TBK_REF_RESOLVE, 0}};
  const tbk_ref_t result = call_with(driver_, actor, "method", payload("", refs),
                                     {.options = options_number(driver_, options)});
  ASSERT_TRUE(eventually([&] { return held != 0; }));
  session_.end_worker(mortal);
  until_gone(session_.worker_id(mortal));
  reply(session_.worker(keeper), held, "here it is");
  expect_error(driver_, result, "ACTOR_DIED");
  EXPECT_EQ(stats(driver_).calls_pending, 0U);
}

TEST_F(RestartsTest, OneThatIsNotRestartableFailsForGood) {
  const size_t first = add_worker();
  const tbk_target_t actor = session_.open_actor(first, false);
  const tbk_ref_t held = send(actor, "hold", 0);
  expect_received({"0"});
  session_.end_worker(first);
  expect_error(driver_, held, "ACTOR_DIED");
  expect_error(driver_, send(actor, "method", 1), "ACTOR_DIED");
}

// The actor died before this endpoint ever called it, and nothing here has called the agent yet.
TEST_F(RestartsTest, WhoNeverCalledTheAgentAsksItAsWell) {
  const size_t first = add_worker();
  const tbk_target_t actor = session_.open_actor(first);
  session_.end_worker(first);
  const tbk_ref_t result = send(actor, "method", 1);
  const size_t second = add_worker();
  restart_at(first, second);
  EXPECT_EQ(get(driver_, result), "answered");
}

TEST_F(RestartsTest, ARestartThatNobodyWaitsForLeavesNothingBehind) {
  const size_t first = add_worker();
  const tbk_target_t actor = session_.open_actor(first);
  const tbk_ref_t result = send(actor, "method", 0);
  EXPECT_EQ(get(driver_, result), "answered");
  release(driver_, result);
  session_.end_worker(first);
  EXPECT_EQ(next_dead(), session_.worker_id(first));
  tbk_target_release(driver_, actor);
  session_.agent.answer_address(address_of(0, 1));
  EXPECT_TRUE(eventually([&] {
    uint8_t ready = 0;
    (void)tbk_wait(driver_, nullptr, 0, 0, 0, &ready);
    return stats(driver_).refs_live == 0 && stats(driver_).calls_pending == 0;
  })) << stats(driver_).refs_live;
}

TEST_F(RestartsTest, AHundredInARowLeakNothing) {
  size_t current = add_worker();
  const tbk_target_t actor = session_.open_actor(current);
  const std::string large(100'000, 'l');
  const uint32_t once_more = retries(1);
  tbk_stats_t before{};
  const int rounds = scaled(100, 4);
  for (int round = 0; round < rounds; ++round) {
    const tbk_ref_t held = call_with(driver_, actor, "hold", payload(large), {});
    const tbk_ref_t retried = call_with(driver_, actor, round % 2 == 0 ? "method" : "other",
                                        payload(large), {.options = once_more});
    ASSERT_TRUE(eventually([&] {
      const std::lock_guard<std::mutex> lock(mutex_);
      return received_.size() >= 2;
    }));
    session_.end_worker(current);
    const size_t next = add_worker();
    restart_at(current, next);
    current = next;
    expect_error(driver_, held, "ACTOR_UNAVAILABLE");
    EXPECT_EQ(get(driver_, retried), "answered");
    EXPECT_EQ(get(driver_, send(actor, "method", round)), "answered") << round;
    release(driver_, held);
    release(driver_, retried);
    const std::lock_guard<std::mutex> lock(mutex_);
    received_.clear();
    (void)before;
  }
  // One ref per round is the result that send() returned, one is the actor's address.
  EXPECT_EQ(stats(driver_).refs_live, static_cast<uint64_t>(rounds) + 1);
  EXPECT_TRUE(eventually([&] {
    uint8_t ready = 0;
    (void)tbk_wait(driver_, nullptr, 0, 0, 0, &ready);
    return stats(driver_).objects_live == 0;
  })) << stats(driver_).objects_live;
  tbk_target_release(driver_, actor);
  EXPECT_EQ(stats(driver_).refs_live, static_cast<uint64_t>(rounds));
}

}  // namespace
}  // namespace thornback::testing
