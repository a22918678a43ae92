// Calls that end before their time: parents and their children, force, and the signal that stops
// user code.
#include <gtest/gtest.h>
#include <malloc.h>
#include <signal.h>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

class CancellingTest : public ::testing::Test {
 protected:
  // A worker that passes a call on to the next one with the same text, as its child.
  size_t add_relay(size_t next, uint32_t function_flags = 0) {
    return session_.add_worker(
        [this, next_id = session_.worker_id(next), function_flags](tbk_endpoint_t* worker,
                                                                   const tbk_event_t& event) {
          CallSpec spec;
          spec.flags = function_flags;
          spec.parent = event.call;
          const tbk_target_t to = open_target(worker, next_id);
          (void)call_with(worker, to, "relay", payload(text_of(event.value)), spec);
          ++running_;
        },
        64, [this](tbk_endpoint_t* worker, const tbk_event_t& event) { end(worker, event); });
  }
  size_t add_leaf() {
    return session_.add_worker(
        [this](tbk_endpoint_t*, const tbk_event_t& event) {
          deadline_ = event.deadline_ns;
          ++running_;
        },
        64, [this](tbk_endpoint_t* worker, const tbk_event_t& event) { end(worker, event); });
  }
  void end(tbk_endpoint_t* worker, const tbk_event_t& event) {
    EXPECT_EQ(tbk_call_state(worker, event.call), TBK_CLOSED);
    ++cancelled_;
    reply(worker, event.call, "cancelled");
  }

  std::atomic<tbk_incoming_t> started_{0};
  std::atomic<int> running_{0}, cancelled_{0};
  std::atomic<uint64_t> deadline_{0};
  ScriptedSession session_;
  tbk_endpoint_t* driver_ = session_.driver;
};

TEST_F(CancellingTest, RecursiveCancellingReachesThreeLevels) {
  const size_t leaf = add_leaf();
  const size_t middle = add_relay(leaf);
  const size_t top = add_relay(middle);
  const tbk_target_t target = open_target(driver_, session_.worker_id(top));
  for (int round = 1; round <= 20; ++round) {
    const tbk_ref_t result = call(driver_, target, "relay", payload("x"));
    ASSERT_TRUE(eventually([&] { return running_ == 3 * round; }));
    ASSERT_EQ(tbk_cancel(driver_, result, TBK_CANCEL_RECURSIVE), TBK_OK);
    ASSERT_TRUE(eventually([&] { return cancelled_ == 3 * round; }));
    EXPECT_EQ(get(driver_, result), "cancelled");
    release(driver_, result);
  }
}

TEST_F(CancellingTest, WithoutRecursionOnlyTheCallItself) {
  const size_t leaf = add_leaf();
  const size_t top = add_relay(leaf);
  const tbk_target_t target = open_target(driver_, session_.worker_id(top));
  const tbk_ref_t result = call(driver_, target, "relay", payload("x"));
  ASSERT_TRUE(eventually([&] { return running_ == 2; }));
  ASSERT_EQ(tbk_cancel(driver_, result, 0), TBK_OK);
  EXPECT_EQ(get(driver_, result), "cancelled");
  // Another round trip over both: by then a cancellation of the child would have arrived.
  const tbk_ref_t next = call(driver_, target, "relay", payload("x"));
  ASSERT_TRUE(eventually([&] { return running_ == 4; }));
  EXPECT_EQ(cancelled_, 1);
  ASSERT_EQ(tbk_cancel(driver_, next, TBK_CANCEL_RECURSIVE), TBK_OK);
  ASSERT_TRUE(eventually([&] { return cancelled_ == 3; }));
}

TEST_F(CancellingTest, TheDeathOfTheCallerCancelsWhatItStarted) {
  const size_t leaf = add_leaf();
  const size_t top = add_relay(leaf);
  tbk_endpoint_t* leaving = session_.session.attach();
  (void)call(leaving, open_target(leaving, session_.worker_id(top)), "relay", payload("x"));
  ASSERT_TRUE(eventually([&] { return running_ == 2; }));
  session_.session.detach(leaving);
  EXPECT_TRUE(eventually([&] { return cancelled_ == 2; }));
}

TEST_F(CancellingTest, AChildInheritsTheEarlierDeadline) {
  constexpr uint64_t kLongNs = 60'000'000'000, kShortNs = 30'000'000'000;
  const size_t leaf = add_leaf();
  struct Case {
    uint64_t parent_ns, child_ns, expected_ns;
  };
  std::atomic<uint64_t> child_timeout{0};
  const uint32_t leaf_id = session_.worker_id(leaf);
  const size_t top = session_.add_worker([&](tbk_endpoint_t* worker, const tbk_event_t& event) {
    const CallSpec spec{.parent = event.call, .timeout_ns = child_timeout};
    const tbk_target_t to = open_target(worker, leaf_id);
    (void)call_with(worker, to, "child", payload(""), spec);
  });
  const tbk_target_t target = open_target(driver_, session_.worker_id(top));
  int count = 0;
  for (const Case& each :
       {Case{kShortNs, 0, kShortNs}, Case{kShortNs, kLongNs, kShortNs},
        Case{kLongNs, kShortNs, kShortNs}, Case{0, kShortNs, kShortNs}, Case{0, 0, 0}}) {
    child_timeout = each.child_ns;
    const uint64_t before = monotonic_ns();
    (void)call_with(driver_, target, "parent", payload(""), {.timeout_ns = each.parent_ns});
    ASSERT_TRUE(eventually([&] { return running_ == count + 1; }));
    const uint64_t after = monotonic_ns();
    ++count;
    if (each.expected_ns == 0) {
      EXPECT_EQ(deadline_, 0U);
    } else {
      EXPECT_GE(deadline_, before + each.expected_ns) << count;
      EXPECT_LE(deadline_, after + each.expected_ns) << count;
    }
  }
}

TEST_F(CancellingTest, TheDeadlineOfTheParentEndsItsChildren) {
  const size_t leaf = add_leaf();
  const size_t top = add_relay(leaf);
  const tbk_target_t target = open_target(driver_, session_.worker_id(top));
  const tbk_ref_t result =
      call_with(driver_, target, "relay", payload(""), {.timeout_ns = 30'000'000});
  expect_error(driver_, result, "DEADLINE_EXCEEDED");
  EXPECT_TRUE(eventually([&] { return cancelled_ == 2; }));
}

// A long call that makes many children remembers those that are unfinished only.
TEST_F(CancellingTest, FinishedChildrenAreForgotten) {
  const int children = scaled(100'000, 20);
  const size_t leaf = session_.add_worker(
      [](tbk_endpoint_t* worker, const tbk_event_t& event) { reply(worker, event.call, "child"); });
  std::atomic<tbk_incoming_t> parent{0};
  const size_t top =
      session_.add_worker([&](tbk_endpoint_t*, const tbk_event_t& event) { parent = event.call; });
  const tbk_ref_t result =
      call(driver_, open_target(driver_, session_.worker_id(top)), "long", payload(""));
  ASSERT_TRUE(eventually([&] { return parent != 0; }));
  tbk_endpoint_t* worker = session_.worker(top);
  const tbk_target_t to = open_target(worker, session_.worker_id(leaf));
  const auto make = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const tbk_ref_t child = call_with(worker, to, "child", payload(""), {.parent = parent});
      EXPECT_EQ(get(worker, child), "child");
      release(worker, child);
    }
  };
  make(1000);
  const size_t before = mallinfo2().uordblks;
  make(children);
  const size_t after = mallinfo2().uordblks;
  const size_t grown = after > before ? after - before : 0;
  std::printf("%d finished children of one call left %zu bytes\n", children, grown);
  if (!kIsSanitized) {
    EXPECT_LT(grown, 64U << 10) << "a handle each would be 800,000 bytes";
  }
  reply(worker, parent, "done");
  EXPECT_EQ(get(driver_, result), "done");
}

class ForceTest : public CancellingTest {
 protected:
  tbk_ref_t start_task(size_t worker) {
    const tbk_ref_t result = call(driver_, session_.open_tasks(), "task", payload(""));
    session_.agent.lend(session_.worker_id(worker));
    EXPECT_TRUE(eventually([&] { return running_ == 1; }));
    return result;
  }
  uint32_t add_holding() {
    return static_cast<uint32_t>(
        session_.add_worker([this](tbk_endpoint_t*, const tbk_event_t& event) {
          started_ = event.call;
          ++running_;
        }));
  }
};

TEST_F(ForceTest, AWorkerThatDoesNotEndTheCallIsEndedOnce) {
  const size_t worker = add_holding();
  const tbk_ref_t result = start_task(worker);
  const uint64_t start = monotonic_ns();
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(tbk_cancel(driver_, result, TBK_CANCEL_FORCE | TBK_CANCEL_RECURSIVE), TBK_OK);
  uint8_t ready = 0;
  EXPECT_TRUE(eventually([&] {
    (void)tbk_wait(driver_, &result, 1, 1, 1'000'000, &ready);
    return !session_.agent.ended_workers().empty();
  }));
  EXPECT_GE(monotonic_ns() - start, 100'000'000U);
  EXPECT_EQ(tbk_wait(driver_, &result, 1, 1, 150'000'000, &ready), TBK_TIMEOUT);
  EXPECT_EQ(session_.agent.ended_workers(), std::vector<uint32_t>{session_.worker_id(worker)});
  session_.end_worker(worker);  // as the agent does
  expect_error(driver_, result, "CANCELLED");
}

TEST_F(ForceTest, AWorkerThatEndsByItselfIsNotEnded) {
  const size_t worker = add_holding();
  const tbk_ref_t result = start_task(worker);
  ASSERT_EQ(tbk_cancel(driver_, result, TBK_CANCEL_FORCE), TBK_OK);
  session_.end_worker(worker);
  expect_error(driver_, result, "CANCELLED");
  uint8_t ready = 0;
  tbk_ref_t never = 0;
  ASSERT_EQ(tbk_ref_reserve(driver_, 1, &never), TBK_OK);
  EXPECT_EQ(tbk_wait(driver_, &never, 1, 1, 150'000'000, &ready), TBK_TIMEOUT);
  EXPECT_TRUE(session_.agent.ended_workers().empty());
}

TEST_F(ForceTest, ATaskThatStopsInTimeKeepsItsWorker) {
  const size_t worker = add_holding();
  const tbk_ref_t result = start_task(worker);
  ASSERT_EQ(tbk_cancel(driver_, result, TBK_CANCEL_FORCE), TBK_OK);
  reply(session_.worker(worker), started_, "stopped");
  EXPECT_EQ(get(driver_, result), "stopped");
  uint8_t ready = 0;
  tbk_ref_t never = 0;
  ASSERT_EQ(tbk_ref_reserve(driver_, 1, &never), TBK_OK);
  EXPECT_EQ(tbk_wait(driver_, &never, 1, 1, 150'000'000, &ready), TBK_TIMEOUT);
  EXPECT_TRUE(session_.agent.ended_workers().empty());
}

TEST_F(ForceTest, AnActorIsNotEndedForOneCall) {
  const size_t worker = add_holding();
  const tbk_ref_t result = call(driver_, session_.open_actor(worker), "method", payload(""));
  ASSERT_TRUE(eventually([&] { return running_ == 1; }));
  ASSERT_EQ(tbk_cancel(driver_, result, TBK_CANCEL_FORCE), TBK_OK);
  uint8_t ready = 0;
  EXPECT_EQ(tbk_wait(driver_, &result, 1, 1, 150'000'000, &ready), TBK_TIMEOUT);
  EXPECT_TRUE(session_.agent.ended_workers().empty());
}

std::atomic<int> signals_seen{0};

// The signal reaches the thread that was given the call, and only while it is away with it.
TEST(CancelSignalTest, InterruptsTheThreadThatExecutes) {
  struct sigaction action {};
  struct sigaction old {};
  action.sa_handler = [](int) { ++signals_seen; };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &old), 0);
  PrivateFolder folder;
  Session session(folder.socket(), 64 << 20);
  const std::string socket = folder.socket();
  tbk_attach_options_t options = attach_options(socket, TBK_ROLE_WORKER);
  options.cancel_signal = SIGUSR1;
  tbk_endpoint_t* worker = nullptr;
  ASSERT_EQ(tbk_attach(&options, &worker), TBK_OK);
  tbk_endpoint_t* driver = session.attach();
  {
    std::atomic<int> running{0}, interrupted{0};
    ScriptedServer server(worker, [&](const tbk_event_t& event) {
      const int before = signals_seen;
      ++running;
      // User code that waits for something else comes back as well.
      tbk_ref_t never = 0;
      uint8_t ready = 0;
      (void)tbk_ref_reserve(worker, 1, &never);
      if (text_of(event.value) == "waits") {
        EXPECT_EQ(tbk_wait(worker, &never, 1, 1, 20'000'000'000, &ready), TBK_INTERRUPTED);
      }
      (void)eventually([&] { return signals_seen > before; });
      release(worker, never);
      interrupted += signals_seen - before;
      EXPECT_EQ(tbk_call_state(worker, event.call), TBK_CLOSED);
      reply(worker, event.call, "interrupted");
    });
    const tbk_target_t target = open_target(driver, server.id());
    for (int round = 1; round <= 20; ++round) {
      const std::string text = round % 2 == 0 ? "waits" : "works";
      const tbk_ref_t result = call(driver, target, "method", payload(text));
      ASSERT_TRUE(eventually([&] { return running == round; }));
      ASSERT_EQ(tbk_cancel(driver, result, 0), TBK_OK);
      EXPECT_EQ(get(driver, result), "interrupted");
      release(driver, result);
    }
    EXPECT_EQ(interrupted, 20);
  }
  tbk_detach(worker);
  sigaction(SIGUSR1, &old, nullptr);
}

}  // namespace
}  // namespace thornback::testing
