// Calls between endpoints of one session: echo, order, sizes, errors, streams, refs passed on,
// back-pressure, death.
#include <gtest/gtest.h>

#include <numeric>

#include "testing/runtime/session_fixture.h"

namespace thornback::testing {
namespace {

class CallsTest : public ::testing::Test {
 protected:
  tbk_target_t open(tbk_endpoint_t* from, uint32_t endpoint, uint32_t instance = 1) {
    tbk_target_t target = 0;
    EXPECT_EQ(tbk_target_endpoint(from, endpoint, instance, &target), TBK_OK);
    return target;
  }

  Session session_;
  tbk_endpoint_t* driver_ = session_.attach();
  EchoServer server_{session_.attach(TBK_ROLE_WORKER)};
  tbk_target_t target_ = open(driver_, server_.id());
};

TEST_F(CallsTest, EchoesValuesOfAnySize) {
  for (const uint64_t size : {0U, 1U, 48U, 49U, 1000U, 16384U, 16385U, 100'000U, 5'000'000U}) {
    const std::string bytes(size, 'x');
    const tbk_ref_t result = call(driver_, target_, "echo", payload(bytes));
    EXPECT_EQ(get(driver_, result), bytes) << size;
    release(driver_, result);
  }
  server_.stop();
  EXPECT_EQ(stats(driver_).calls_pending, 0U);
}

TEST_F(CallsTest, KeepsOrderWithMoreCallsThanFitIntoTheRing) {
  constexpr int kCalls = 100'000;
  std::vector<tbk_ref_t> results;
  results.reserve(kCalls);
  for (int i = 0; i < kCalls; ++i)
    results.push_back(call(driver_, target_, "echo", payload(std::to_string(i))));
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_EQ(get(driver_, results[static_cast<size_t>(i)]), std::to_string(i));
  }
  tbk_ref_release(driver_, results.data(), static_cast<uint32_t>(results.size()));
  EXPECT_EQ(stats(driver_).refs_live, 0U);
  EXPECT_EQ(stats(driver_).pending_bytes, 0U);
}

TEST_F(CallsTest, AnErrorArrivesAsAnError) {
  bool is_error = false;
  EXPECT_EQ(get(driver_, call(driver_, target_, "fail", payload("bad")), &is_error), "bad");
  EXPECT_TRUE(is_error);
}

TEST_F(CallsTest, AnUnresolvedArgumentDelaysTheCallAndThoseBehindIt) {
  const tbk_ref_t first = call(driver_, target_, "echo", payload("value"));
  const std::vector<tbk_ref_entry_t> refs{{first, TBK_REF_RESOLVE, 0}};
  const tbk_ref_t second = call(driver_, target_, "first", payload("", refs));
  const tbk_ref_t third = call(driver_, target_, "echo", payload("last"));
  EXPECT_EQ(get(driver_, third), "last");
  EXPECT_EQ(get(driver_, second), "value");
}

TEST_F(CallsTest, AFailedArgumentFailsTheCall) {
  const tbk_ref_t first = call(driver_, target_, "fail", payload("cause"));
  const std::vector<tbk_ref_entry_t> refs{{first, TBK_REF_RESOLVE, 0}};
  bool is_error = false;
  EXPECT_EQ(get(driver_, call(driver_, target_, "first", payload("", refs)), &is_error), "cause");
  EXPECT_TRUE(is_error);
}

TEST_F(CallsTest, ALargeArgumentIsHandedOverByName) {
  const std::string big(3'000'000, 'b');
  tbk_ref_t stored = 0;
  const tbk_payload_t value = payload(big);
  ASSERT_EQ(tbk_put(driver_, &value, &stored), TBK_OK);
  const std::vector<tbk_ref_entry_t> refs{{stored, TBK_REF_RESOLVE, 0}};
  EXPECT_EQ(get(driver_, call(driver_, target_, "first", payload("", refs))), big);
}

TEST_F(CallsTest, RefsInResultsAreBorrowedAndGivenBack) {
  tbk_ref_t inner = 0;
  const std::string text = "inner";
  const tbk_payload_t value = payload(text);
  ASSERT_EQ(tbk_put(driver_, &value, &inner), TBK_OK);
  for (int i = 0; i < 100; ++i) {
    const std::vector<tbk_ref_entry_t> refs{{inner, 0, 0}};
    const tbk_ref_t result = call(driver_, target_, "echo", payload("nested", refs));
    ASSERT_EQ(get(driver_, result), "nested");
    tbk_value_t outer{};
    ASSERT_EQ(tbk_ref_read(driver_, result, &outer), TBK_OK);
    ASSERT_EQ(outer.ref_count, 1U);
    EXPECT_EQ(outer.refs[0].ref, inner);
    release(driver_, result);
  }
  release(driver_, inner);
  // The server gives its receptions back with frames that a further call is behind of.
  release(driver_, call(driver_, target_, "echo", payload("")));
  EXPECT_EQ(get(driver_, call(driver_, target_, "echo", payload("end"))), "end");
  EXPECT_LE(stats(driver_).refs_live, 1U);
}

TEST_F(CallsTest, AThirdEndpointReadsABorrowedRef) {
  EchoServer other(session_.attach(TBK_ROLE_WORKER));
  tbk_endpoint_t* third = session_.attach();
  EchoServer relay(third);
  for (const uint64_t size : {5U, 200'000U}) {
    const std::string text(size, 'v');
    tbk_ref_t inner = 0;
    const tbk_payload_t value = payload(text);
    ASSERT_EQ(tbk_put(driver_, &value, &inner), TBK_OK);
    const std::vector<tbk_ref_entry_t> refs{{inner, 0, 0}};
    tbk_ref_t outer = 0;
    const std::string outer_bytes(20'000, 'o');
    const tbk_payload_t nesting = payload(outer_bytes, refs);
    ASSERT_EQ(tbk_put(driver_, &nesting, &outer), TBK_OK);
    const std::vector<tbk_ref_entry_t> outer_refs{{outer, TBK_REF_RESOLVE, 0}};
    const tbk_ref_t result =
        call(driver_, open(driver_, relay.id()), "echo", payload("", outer_refs));
    EXPECT_EQ(get(driver_, result), "");
    release(driver_, result);
    release(driver_, inner);
    release(driver_, outer);
  }
}

TEST_F(CallsTest, StreamsArriveInOrderAndStopWhenClosed) {
  const tbk_ref_t stream = call(driver_, target_, "count", payload("1000"), TBK_CALL_STREAM);
  for (int i = 0; i < 1000; ++i) {
    tbk_ref_t item = 0;
    tbk_status_t status = tbk_stream_next(driver_, stream, &item);
    if (status == TBK_WOULD_BLOCK) {
      uint8_t ready = 0;
      ASSERT_EQ(tbk_wait(driver_, &stream, 1, 1, 10'000'000'000, &ready), TBK_OK);
      status = tbk_stream_next(driver_, stream, &item);
    }
    ASSERT_EQ(status, TBK_OK);
    EXPECT_EQ(get(driver_, item), std::to_string(i));
    release(driver_, item);
  }
  uint8_t ready = 0;
  ASSERT_EQ(tbk_wait(driver_, &stream, 1, 1, 10'000'000'000, &ready), TBK_OK);
  tbk_ref_t item = 0;
  EXPECT_EQ(tbk_stream_next(driver_, stream, &item), TBK_END);
  release(driver_, stream);

  const tbk_ref_t endless = call(driver_, target_, "count", payload("1000000000"), TBK_CALL_STREAM);
  ASSERT_EQ(tbk_wait(driver_, &endless, 1, 1, 10'000'000'000, &ready), TBK_OK);
  release(driver_, endless);
  EXPECT_EQ(get(driver_, call(driver_, target_, "echo", payload("free again"))), "free again");
}

TEST_F(CallsTest, AnEndpointCallsItself) {
  tbk_endpoint_t* self = session_.attach();
  EchoServer server(self);
  const tbk_target_t target = open(self, server.id());
  EXPECT_EQ(get(self, call(self, target, "echo", payload("me"))), "me");
  const std::string big(100'000, 's');
  EXPECT_EQ(get(self, call(self, target, "echo", payload(big))), big);
}

TEST_F(CallsTest, CallsFailWhenThePeerIsGone) {
  tbk_endpoint_t* worker = session_.attach(TBK_ROLE_WORKER);
  auto server = std::make_unique<EchoServer>(worker);
  const tbk_target_t target = open(driver_, server->id());
  EXPECT_EQ(get(driver_, call(driver_, target, "echo", payload("alive"))), "alive");
  const tbk_ref_t held = call(driver_, target, "hold", payload(""));
  while (server->served() < 2) std::this_thread::yield();
  server.reset();
  session_.detach(worker);
  bool is_error = false;
  EXPECT_NE(get(driver_, held, &is_error).find("ACTOR_DIED"), std::string::npos);
  EXPECT_TRUE(is_error);
  EXPECT_NE(get(driver_, call(driver_, target, "echo", payload("late"))).find("ACTOR_DIED"),
            std::string::npos);
}

TEST_F(CallsTest, AQueuedCallCanBeCancelled) {
  tbk_ref_t never = 0;
  ASSERT_EQ(tbk_ref_reserve(driver_, 1, &never), TBK_OK);
  const tbk_ref_t held = call(driver_, target_, "hold", payload(""));
  const std::vector<tbk_ref_entry_t> refs{{held, TBK_REF_RESOLVE, 0}};
  const tbk_ref_t waiting = call(driver_, target_, "first", payload("", refs));
  ASSERT_EQ(tbk_cancel(driver_, waiting, 0), TBK_OK);
  EXPECT_NE(get(driver_, waiting).find("CANCELLED"), std::string::npos);
  EXPECT_EQ(get(driver_, call(driver_, target_, "echo", payload("next"))), "next");
}

TEST_F(CallsTest, ADeadlineEndsACallThatDoesNotAnswer) {
  tbk_call_t request{};
  ASSERT_EQ(tbk_ref_reserve(driver_, 1, &request.result), TBK_OK);
  request.target = target_;
  request.function = function(driver_, "hold");
  request.timeout_ns = 20'000'000;
  uint32_t accepted = 0;
  ASSERT_EQ(tbk_submit(driver_, &request, 1, &accepted), TBK_OK);
  bool is_error = false;
  EXPECT_NE(get(driver_, request.result, &is_error).find("DEADLINE_EXCEEDED"), std::string::npos);
  EXPECT_TRUE(is_error);
  // The same for a call that still waits for its argument.
  const tbk_ref_t never = call(driver_, target_, "hold", payload(""));
  const std::vector<tbk_ref_entry_t> refs{{never, TBK_REF_RESOLVE, 0}};
  request.args.refs = refs.data();
  request.args.ref_count = 1;
  ASSERT_EQ(tbk_ref_reserve(driver_, 1, &request.result), TBK_OK);
  ASSERT_EQ(tbk_submit(driver_, &request, 1, &accepted), TBK_OK);
  EXPECT_NE(get(driver_, request.result).find("DEADLINE_EXCEEDED"), std::string::npos);
  EXPECT_EQ(get(driver_, call(driver_, target_, "echo", payload("next"))), "next");
}

TEST_F(CallsTest, ViewsOutliveTheEndpoint) {
  tbk_endpoint_t* short_lived = session_.attach();
  const std::string big(1'000'000, 'z');
  const tbk_ref_t result = call(short_lived, open(short_lived, server_.id()), "echo", payload(big));
  EXPECT_EQ(get(short_lived, result), big);
  tbk_value_t value{};
  ASSERT_EQ(tbk_ref_read(short_lived, result, &value), TBK_OK);
  session_.detach(short_lived);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(value.data), value.size), big);
}

TEST_F(CallsTest, BackPressureIsAResult) {
  std::vector<tbk_ref_t> results;
  const tbk_ref_t held = call(driver_, target_, "hold", payload(""));
  const std::vector<tbk_ref_entry_t> refs{{held, TBK_REF_RESOLVE, 0}};
  const std::string bytes(16'000, 'p');
  tbk_call_t request{};
  request.target = target_;
  request.function = function(driver_, "first");
  request.args = payload(bytes, refs);
  tbk_status_t status = TBK_OK;
  uint32_t accepted = 0;
  for (int i = 0; i < 20'000 && status == TBK_OK; ++i) {
    ASSERT_EQ(tbk_ref_reserve(driver_, 1, &request.result), TBK_OK);
    status = tbk_submit(driver_, &request, 1, &accepted);
  }
  EXPECT_EQ(status, TBK_BACK_PRESSURE);
  EXPECT_LT(stats(driver_).pending_bytes, 300U << 20);
}

}  // namespace
}  // namespace thornback::testing
