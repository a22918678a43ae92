// How far a producer gets ahead of its consumer: in items, and in bytes of them.
#include <gtest/gtest.h>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

class StreamsTest : public ::testing::Test {
 protected:
  // As many items of this size as there is credit for; how many that were.
  uint32_t produce(uint64_t size) {
    const std::string item(size, 'i');
    uint32_t sent = 0;
    while (true) {
      tbk_reply_t reply{};
      reply.call = call_;
      reply.flags = TBK_REPLY_ITEM;
      reply.value = payload(item);
      uint32_t accepted = 0;
      const tbk_status_t status = tbk_reply(producer_, &reply, 1, &accepted);
      if (status == TBK_WOULD_BLOCK) return sent;
      EXPECT_EQ(status, TBK_OK) << tbk_last_error();
      if (status != TBK_OK) return sent;
      ++sent;
    }
  }
  void take(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      tbk_ref_t item = 0;
      ASSERT_TRUE(eventually([&] {
        uint8_t ready = 0;
        (void)tbk_wait(consumer_, &stream_, 1, 1, 0, &ready);
        return tbk_stream_next(consumer_, stream_, &item) == TBK_OK;
      }));
      release(consumer_, item);
    }
  }
  void SetUp() override {
    stream_ = call(consumer_, open_target(consumer_, server_.id()), "items", payload(""),
                   TBK_CALL_STREAM);
    ASSERT_TRUE(eventually([&] { return call_ != 0; }));
  }
  void wait_for_credit() {
    ASSERT_EQ(tbk_stream_credit(producer_, call_, 10'000'000'000), TBK_OK) << tbk_last_error();
  }

  Session session_{64 << 20};
  tbk_endpoint_t* consumer_ = session_.attach();
  tbk_endpoint_t* producer_ = session_.attach(TBK_ROLE_WORKER);
  std::atomic<tbk_incoming_t> call_{0};
  ScriptedServer server_{producer_, [this](const tbk_event_t& event) { call_ = event.call; }};
  tbk_ref_t stream_ = 0;
};

TEST_F(StreamsTest, SmallItemsAreLimitedInNumber) {
  EXPECT_EQ(produce(10), 64U);
  take(32);
  wait_for_credit();
  EXPECT_EQ(produce(10), 32U);
}

TEST_F(StreamsTest, LargeItemsAreLimitedInBytes) {
  EXPECT_EQ(produce(1 << 20), 8U);
  take(8);
  wait_for_credit();
  EXPECT_GE(produce(1 << 20), 4U);
}

TEST_F(StreamsTest, OneItemAlwaysPasses) {
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(produce(10 << 20), 1U) << round;
    take(1);
    wait_for_credit();
  }
}

// What the consumer keeps back when it gives credit must never be what the producer waits for.
TEST_F(StreamsTest, ItemsOfAllSizesGetThrough) {
  const uint64_t sizes[] = {10, 3 << 20, 60'000, 6 << 20, 1 << 20, 7 << 20, 100};
  for (int round = 0; round < 30; ++round) {
    const uint32_t sent = produce(sizes[round % 7]);
    ASSERT_GT(sent, 0U) << round;
    take(sent);
    wait_for_credit();
  }
}

}  // namespace
}  // namespace thornback::testing
