// Calls that wait for each other: circles are found and opened, long waits are left alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <sstream>

#include "testing/runtime/session_fixture.h"

namespace thornback::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::HasSubstr;

tbk_target_t open_target(tbk_endpoint_t* from, uint32_t endpoint) {
  tbk_target_t target = 0;
  EXPECT_EQ(tbk_target_endpoint(from, endpoint, 1, &target), TBK_OK);
  return target;
}

// Executes one call at a time. "relay" calls the endpoint that its argument names first, with the
// rest, waits for the answer and passes it on; with nothing left it waits so many milliseconds.
class SerialWorker {
 public:
  explicit SerialWorker(tbk_endpoint_t* endpoint)
      : endpoint_(endpoint), id_(endpoint_id(endpoint)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~SerialWorker() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    is_stopping_ = true;
    tbk_wake(endpoint_);
    thread_.join();
  }
  uint32_t id() const { return id_; }

 private:
  void serve() {
    while (!is_stopping_) {
      tbk_event_t event{};
      uint32_t count = 0;
      const tbk_status_t status = tbk_poll(endpoint_, &event, 1, 20'000'000, &count);
      if (status == TBK_CLOSED) return;
      if (count == 1 && event.kind == TBK_EVENT_CALL) relay(event);
    }
  }

  void relay(const tbk_event_t& event) {
    std::istringstream words(
        std::string(reinterpret_cast<const char*>(event.value.data), event.value.size));
    std::string first;
    words >> first;
    std::string rest;
    std::getline(words >> std::ws, rest);
    if (first.empty()) return answer(event.call, "end", 0);
    if (first == "sleep") {
      std::this_thread::sleep_for(milliseconds(std::stoi(rest)));
      return answer(event.call, "slept", 0);
    }
    // "spawn" does not wait for the call it makes, but works on; "fan" makes two and waits for
    // both.
    const bool is_spawn = first == "spawn";
    std::vector<tbk_ref_t> results(first == "fan" ? 2 : 1);
    if (is_spawn || first == "fan") {
      std::istringstream more(rest);
      more >> first;
      std::getline(more >> std::ws, rest);
    }
    for (tbk_ref_t& result : results)
      result = submit(event.call, static_cast<uint32_t>(std::stoul(first)), rest);
    if (is_spawn) {
      std::this_thread::sleep_for(milliseconds(3'500));
      answer(event.call, "spawned", 0);
    } else {
      answer_with_last(event.call, results);
    }
    tbk_ref_release(endpoint_, results.data(), static_cast<uint32_t>(results.size()));
  }

  tbk_ref_t submit(tbk_incoming_t parent, uint32_t to, const std::string& rest) {
    tbk_call_t inner{};
    EXPECT_EQ(tbk_ref_reserve(endpoint_, 1, &inner.result), TBK_OK);
    inner.target = open_target(endpoint_, to);
    inner.function = function(endpoint_, "relay");
    inner.parent = parent;
    inner.args = payload(rest);
    uint32_t accepted = 0;
    EXPECT_EQ(tbk_submit(endpoint_, &inner, 1, &accepted), TBK_OK);
    return inner.result;
  }

  void answer_with_last(tbk_incoming_t call, const std::vector<tbk_ref_t>& results) {
    const auto count = static_cast<uint32_t>(results.size());
    std::vector<uint8_t> ready(count);
    tbk_status_t status = TBK_INTERRUPTED;
    while (status == TBK_INTERRUPTED && !is_stopping_)
      status = tbk_wait(endpoint_, results.data(), count, count, -1, ready.data());
    tbk_value_t value{};
    if (status == TBK_OK && tbk_ref_read(endpoint_, results.back(), &value) == TBK_OK) {
      answer(call, std::string(reinterpret_cast<const char*>(value.data), value.size),
             value.flags & TBK_VALUE_ERROR);
    }
  }

  void answer(tbk_incoming_t call, const std::string& text, uint32_t flags) {
    tbk_reply_t reply{};
    reply.call = call;
    reply.value = payload(text);
    reply.value.flags = flags;
    uint32_t accepted = 0;
    (void)tbk_reply(endpoint_, &reply, 1, &accepted);
  }

  tbk_endpoint_t* endpoint_;
  uint32_t id_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

class DeadlocksTest : public ::testing::Test {
 protected:
  DeadlocksTest() : driver_(session_.attach()) {
    for (int i = 0; i < 3; ++i)
      workers_.push_back(std::make_unique<SerialWorker>(session_.attach(TBK_ROLE_WORKER)));
  }
  ~DeadlocksTest() override {
    for (const auto& worker : workers_) worker->stop();
  }

  std::string id(size_t worker) const { return std::to_string(workers_[worker]->id()); }
  tbk_ref_t start(size_t worker, const std::string& rest) {
    return call(driver_, open_target(driver_, workers_[worker]->id()), "relay", payload(rest));
  }
  // The answer, and how long it took.
  std::string answer_within(tbk_ref_t ref, milliseconds limit) {
    const auto begin = steady_clock::now();
    std::string text = get(driver_, ref);
    EXPECT_LT(steady_clock::now() - begin, limit);
    release(driver_, ref);
    return text;
  }

  Session session_;
  tbk_endpoint_t* driver_;
  std::vector<std::unique_ptr<SerialWorker>> workers_;
};

TEST_F(DeadlocksTest, TwoThatCallEachOtherGetAnErrorThatNamesBoth) {
  const std::string error = answer_within(start(0, id(1) + " " + id(0)), milliseconds(5'000));
  EXPECT_THAT(error,
              AllOf(HasSubstr("DEADLOCK"), HasSubstr("relay (endpoint " + id(0) + ", instance 1)"),
                    HasSubstr("-> relay (endpoint " + id(1) + ", instance 1) -> ")));
  // Everybody is free again.
  EXPECT_EQ(answer_within(start(0, id(1) + " sleep 1"), milliseconds(2'000)), "slept");
}

TEST_F(DeadlocksTest, OneThatCallsItself) {
  EXPECT_THAT(answer_within(start(2, id(2)), milliseconds(5'000)), HasSubstr("DEADLOCK"));
}

TEST_F(DeadlocksTest, ACircleThatTheFirstCallIsNotPartOf) {
  // The call comes in at the third; the first two wait for each other.
  const std::string path = id(0) + " " + id(1) + " " + id(0);
  EXPECT_THAT(answer_within(start(2, path), milliseconds(6'000)), HasSubstr("DEADLOCK"));
}

TEST_F(DeadlocksTest, ManyWaysAroundACircleAreFollowedOnce) {
  const std::string path = id(0) + " fan " + id(1) + " fan " + id(0);
  EXPECT_THAT(answer_within(start(2, path), milliseconds(9'000)), HasSubstr("DEADLOCK"));
}

TEST_F(DeadlocksTest, CallsThatNobodyWaitsForKeepNobody) {
  EXPECT_EQ(answer_within(start(0, "spawn " + id(0) + " sleep 1"), milliseconds(6'000)), "spawned");
}

TEST_F(DeadlocksTest, LongWaitsAreLeftAlone) {
  const tbk_ref_t busy = start(1, "sleep 3500");
  const tbk_ref_t waiting = start(0, id(1) + " sleep 1");
  EXPECT_EQ(answer_within(waiting, milliseconds(6'000)), "slept");
  EXPECT_EQ(answer_within(busy, milliseconds(6'000)), "slept");
}

}  // namespace
}  // namespace thornback::testing
