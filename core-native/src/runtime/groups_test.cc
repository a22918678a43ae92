// Concurrency groups of an instance: limits, what an unknown group says, changes while calls run.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

struct GroupSpec {
  std::string name;
  uint32_t limit;
};

class GroupsTest : public ::testing::Test {
 protected:
  GroupsTest() {
    session_.add_worker([this](tbk_endpoint_t*, const tbk_event_t& event) { deliver(event); });
  }

  tbk_status_t set_groups(const std::vector<GroupSpec>& groups,
                          const std::map<std::string, uint32_t>& methods = {},
                          uint32_t instance = 1) {
    std::vector<tbk_group_t> raw;
    for (const GroupSpec& each : groups)
      raw.push_back({each.name.data(), static_cast<uint32_t>(each.name.size()), each.limit});
    std::vector<tbk_method_group_t> places;
    for (const auto& [name, group] : methods) places.push_back({function(worker(), name), group});
    return tbk_instance_groups(worker(), instance, raw.data(), static_cast<uint32_t>(raw.size()),
                               places.data(), static_cast<uint32_t>(places.size()));
  }
  tbk_endpoint_t* worker() { return session_.worker(0); }

  void deliver(const tbk_event_t& event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_[event.group].push_back(event.call);
    most_[event.group] = std::max(most_[event.group], running_[event.group].size());
    delivered_.push_back(text_of(event.value));
  }
  // Ends one of the running calls, any with `random`. It counts as over before the engine knows.
  bool finish_one(uint32_t group, uint32_t random = 0) {
    tbk_incoming_t call = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      std::vector<tbk_incoming_t>& list = running_[group];
      if (list.empty()) return false;
      call = list[random % list.size()];
      std::erase(list, call);
    }
    reply(worker(), call, "done");
    return true;
  }
  size_t running(uint32_t group) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return running_[group].size();
  }
  std::vector<std::string> delivered() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return delivered_;
  }
  size_t most(uint32_t group) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return most_[group];
  }
  void wait_until_running(uint32_t group, size_t count) {
    EXPECT_TRUE(eventually([&] { return running(group) >= count; }));
    EXPECT_EQ(running(group), count);
  }
  uint32_t in_group(tbk_endpoint_t* from, const std::string& name) {
    tbk_call_options_t options = call_options();
    options.group = name.data();
    options.group_size = static_cast<uint32_t>(name.size());
    return options_number(from, options);
  }
  tbk_ref_t send(const std::string& name, const std::string& text, uint32_t options = 0) {
    return call_with(driver_, target_, name, payload(text), {.options = options});
  }

  std::mutex mutex_;
  std::map<uint32_t, std::vector<tbk_incoming_t>> running_;
  std::map<uint32_t, size_t> most_;
  std::vector<std::string> delivered_;
  ScriptedSession session_;
  tbk_endpoint_t* driver_ = session_.driver;
  tbk_target_t target_ = 0;

  void SetUp() override { target_ = open_target(driver_, session_.worker_id(0)); }
};

TEST_F(GroupsTest, ManyCallersNeverExceedALimitAndReachIt) {
  const int calls = scaled(10'000);
  ASSERT_EQ(set_groups({{"", 3}, {"wide", 7}}, {{"broad", 1}}), TBK_OK);
  std::atomic<int> callers_left{3};
  std::vector<std::thread> threads;
  for (int caller = 0; caller < 3; ++caller) {
    threads.emplace_back([&, caller, endpoint = session_.session.attach()] {
      const tbk_target_t target = open_target(endpoint, session_.worker_id(0));
      std::vector<tbk_ref_t> results;
      for (int i = caller; i < calls; i += 3)
        results.push_back(call(endpoint, target, i % 2 == 0 ? "narrow" : "broad", payload("")));
      for (const tbk_ref_t result : results) ASSERT_EQ(get(endpoint, result), "done");
      --callers_left;
    });
  }
  std::mt19937 random(3);
  // At first nothing ends, so that both groups fill up.
  wait_until_running(0, 3);
  wait_until_running(1, 7);
  while (callers_left > 0) {
    if (!finish_one(static_cast<uint32_t>(random() % 2), static_cast<uint32_t>(random())))
      std::this_thread::yield();
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(most(0), 3U);
  EXPECT_EQ(most(1), 7U);
  EXPECT_EQ(delivered().size(), static_cast<size_t>(calls));
}

TEST_F(GroupsTest, AnUnknownGroupIsNamedWithThoseThereAre) {
  ASSERT_EQ(set_groups({{"", 1}, {"io", 2}, {"health", 1}}), TBK_OK);
  const std::string error = get(driver_, send("method", "", in_group(driver_, "gpu")));
  EXPECT_NE(error.find("INVALID_ARGUMENT"), std::string::npos) << error;
  EXPECT_NE(error.find("options.group: the actor has no concurrency group gpu; "
                       "there is io, health"),
            std::string::npos)
      << error;
  const tbk_target_t other = open_target(driver_, session_.worker_id(0), 2);
  const CallSpec spec{.options = in_group(driver_, "io")};
  const std::string none = get(driver_, call_with(driver_, other, "method", payload(""), spec));
  EXPECT_NE(none.find("has no concurrency group io; there is none"), std::string::npos) << none;
}

TEST_F(GroupsTest, BadGroupsAreRefusedWithTheirPlace) {
  EXPECT_EQ(set_groups({{"", 1}, {"io", 0}}), TBK_INVALID);
  EXPECT_NE(std::string(tbk_last_error()).find("groups[1].limit"), std::string::npos);
  EXPECT_EQ(set_groups({{"", 1}}, {{"method", 1}}), TBK_INVALID);
  EXPECT_NE(std::string(tbk_last_error()).find("methods[0].group"), std::string::npos);
  EXPECT_EQ(set_groups({{"", 1}, {"io", 1}}), TBK_OK);
  EXPECT_EQ(set_groups({{"", 1}, {"gpu", 1}}), TBK_INVALID) << "other groups than before";
}

TEST_F(GroupsTest, AFullGroupDoesNotHoldUpTheHealthGroup) {
  ASSERT_EQ(set_groups({{"", 1}, {"health", 1}}, {{"ping", 1}}), TBK_OK);
  for (int i = 0; i < 1000; ++i) (void)send("work", "work");
  wait_until_running(0, 1);
  for (int i = 0; i < 100; ++i) {
    const tbk_ref_t by_method = send("ping", "ping");
    wait_until_running(1, 1);
    ASSERT_TRUE(finish_one(1));
    EXPECT_EQ(get(driver_, by_method), "done");
    const tbk_ref_t by_option = send("work", "ping", in_group(driver_, "health"));
    wait_until_running(1, 1);
    ASSERT_TRUE(finish_one(1));
    EXPECT_EQ(get(driver_, by_option), "done");
  }
  EXPECT_EQ(running(0), 1U);
}

TEST_F(GroupsTest, LimitsChangeWhileCallsRun) {
  ASSERT_EQ(set_groups({{"", 2}}), TBK_OK);
  for (int i = 0; i < 20; ++i) (void)send("work", std::to_string(i));
  wait_until_running(0, 2);
  ASSERT_EQ(set_groups({{"", 5}}), TBK_OK);
  wait_until_running(0, 5);
  ASSERT_EQ(set_groups({{"", 1}}), TBK_OK);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(finish_one(0));
  EXPECT_EQ(running(0), 1U) << "none may start before only the new limit is running";
  ASSERT_TRUE(finish_one(0));
  wait_until_running(0, 1);
  for (int i = 6; i < 20; ++i) {
    ASSERT_TRUE(eventually([&] { return finish_one(0); }));
    ASSERT_LE(running(0), 1U);
  }
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    return delivered_.size() == 20;
  }));
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) expected.push_back(std::to_string(i));
  EXPECT_EQ(delivered(), expected);
}

TEST_F(GroupsTest, AForgottenInstanceStillGetsWhatWasQueued) {
  ASSERT_EQ(set_groups({{"", 1}, {"io", 1}}, {{"read", 1}}), TBK_OK);
  std::vector<tbk_ref_t> results;
  for (int i = 0; i < 50; ++i) results.push_back(send(i % 2 == 0 ? "work" : "read", "x"));
  wait_until_running(0, 1);
  wait_until_running(1, 1);
  ASSERT_EQ(set_groups({}), TBK_OK);
  // Calls without a group come as group 0.
  ASSERT_TRUE(eventually([&] { return running(0) + running(1) == 50; }));
  while (finish_one(0) || finish_one(1)) {
  }
  for (const tbk_ref_t result : results) EXPECT_EQ(get(driver_, result), "done");
}

TEST_F(GroupsTest, ACancelledQueuedCallLeavesItsPlace) {
  ASSERT_EQ(set_groups({{"", 1}}), TBK_OK);
  std::vector<tbk_ref_t> results;
  for (int i = 0; i < 30; ++i) results.push_back(send("work", std::to_string(i)));
  wait_until_running(0, 1);
  for (size_t i = 1; i < 30; ++i) {
    if (i % 3 == 0) continue;
    ASSERT_EQ(tbk_cancel(driver_, results[i], 0), TBK_OK);
    expect_error(driver_, results[i], "CANCELLED");
  }
  for (size_t i = 0; i < 30; i += 3) {
    ASSERT_TRUE(eventually([&] { return finish_one(0); }));
    EXPECT_EQ(get(driver_, results[i]), "done");
  }
  EXPECT_EQ(delivered().size(), 10U);
  EXPECT_EQ(most(0), 1U);
}

TEST_F(GroupsTest, ACallWhoseDeadlinePassedInTheQueueLeavesItsPlace) {
  ASSERT_EQ(set_groups({{"", 1}}), TBK_OK);
  (void)send("work", "first");
  wait_until_running(0, 1);
  const tbk_ref_t late =
      call_with(driver_, target_, "work", payload("late"), {.timeout_ns = 5'000'000});
  const tbk_ref_t last = send("work", "last");
  expect_error(driver_, late, "DEADLINE_EXCEEDED");
  ASSERT_TRUE(finish_one(0));
  ASSERT_TRUE(eventually([&] { return finish_one(0); }));
  EXPECT_EQ(get(driver_, last), "done");
  EXPECT_EQ(delivered(), (std::vector<std::string>{"first", "last"}));
}

// What a dead caller wanted without an answer is carried out, and not beside what is running.
TEST_F(GroupsTest, LastWordsKeepTheLimit) {
  ASSERT_EQ(set_groups({{"", 1}}), TBK_OK);
  (void)send("work", "first");
  wait_until_running(0, 1);
  tbk_endpoint_t* leaving = session_.session.attach();
  tbk_call_t words{};
  words.target = open_target(leaving, session_.worker_id(0));
  words.function = function(leaving, "note");
  const std::string text = "words";
  words.args = payload(text);
  uint32_t accepted = 0;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(tbk_submit(leaving, &words, 1, &accepted), TBK_OK);
  ASSERT_TRUE(eventually([&] { return stats(worker()).calls_received == 4; }))
      << stats(worker()).calls_received;
  session_.session.detach(leaving);
  // A peer that attaches is met after the news of the death: by then it has taken effect.
  tbk_endpoint_t* next = session_.session.attach();
  const CallSpec elsewhere{};
  const tbk_ref_t echo =
      call_with(next, open_target(next, session_.worker_id(0), 9), "other", payload(""), elsewhere);
  ASSERT_TRUE(eventually([&] { return running(0) >= 2; }));  // "other" has no groups: 0 as well
  EXPECT_EQ(running(0), 2U);
  EXPECT_EQ(delivered().size(), 2U);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(eventually([&] { return finish_one(0); }));
    EXPECT_LE(running(0), 2U);
  }
  EXPECT_EQ(get(next, echo), "done");
  EXPECT_EQ(delivered().size(), 5U);
}

}  // namespace
}  // namespace thornback::testing
