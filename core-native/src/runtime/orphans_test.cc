// A value outlives its owner with whoever has it: passed on, it arrives.
#include <gtest/gtest.h>

#include "testing/runtime/scripted_endpoints.h"

namespace thornback::testing {
namespace {

class OrphansTest : public ::testing::TestWithParam<size_t> {};

// The owner gives a ref and its value to the holder and leaves; the holder gives it to the reader.
TEST_P(OrphansTest, AValuePassedOnByAHolderArrivesAfterItsOwnerHasLeft) {
  const std::string value(GetParam(), 'v');
  Session session;
  tbk_endpoint_t* owner = session.attach();
  tbk_endpoint_t* holder = session.attach(TBK_ROLE_WORKER);
  tbk_endpoint_t* reader = session.attach(TBK_ROLE_WORKER);

  std::atomic<tbk_ref_t> kept{0};
  ScriptedServer keeps(holder, [&](const tbk_event_t& event) {
    const tbk_ref_t ref = event.value.refs[0].ref;
    EXPECT_EQ(tbk_ref_retain(holder, ref), TBK_OK);
    reply(holder, event.call, "kept");
    kept = ref;
  });
  ScriptedServer reads(reader, [&](const tbk_event_t& event) {
    tbk_value_t read{};
    EXPECT_EQ(tbk_ref_read(reader, event.value.refs[0].ref, &read), TBK_OK);
    reply(reader, event.call, text_of(read));
  });

  tbk_ref_t put = 0;
  const tbk_payload_t bytes = payload(value);
  ASSERT_EQ(tbk_put(owner, &bytes, &put), TBK_OK);
  const std::vector<tbk_ref_entry_t> argument{{put, TBK_REF_RESOLVE, 0}};
  EXPECT_EQ(get(owner, call(owner, open_target(owner, keeps.id()), "keep", payload("", argument))),
            "kept");
  ASSERT_TRUE(eventually([&] { return kept != 0; }));
  session.detach(owner);

  const std::vector<tbk_ref_entry_t> passed{{kept, TBK_REF_RESOLVE, 0}};
  const tbk_ref_t answer =
      call(holder, open_target(holder, reads.id()), "read", payload("", passed));
  bool is_error = false;
  EXPECT_EQ(get(holder, answer, &is_error), value);
  EXPECT_FALSE(is_error);
  const tbk_ref_t done = kept;
  tbk_ref_release(holder, &done, 1);
}

INSTANTIATE_TEST_SUITE_P(InlineAndStored, OrphansTest, ::testing::Values(10, 1 << 20));

}  // namespace
}  // namespace thornback::testing
