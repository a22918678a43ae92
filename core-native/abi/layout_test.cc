// The layout of the public structs, written down by hand: what a binding compiled yesterday relies
// on. A difference is a new ABI version.
#include <gtest/gtest.h>

#include <vector>

#include "thornback.h"

extern "C" size_t tbk_layout_in_c(unsigned index);

namespace {

TEST(AbiTest, LayoutIsTheReleasedOneInBothLanguages) {
  const std::vector<size_t> released{64, 32, 32, 128, 16, 24, 40, 40, 80, 56,
                                     88, 56, 24, 32,  40, 16, 40, 48, 120};
  const std::vector<size_t> in_cpp{sizeof(tbk_attach_options_t),
                                   sizeof(tbk_node_options_t),
                                   sizeof(tbk_info_t),
                                   sizeof(tbk_stats_t),
                                   sizeof(tbk_ref_entry_t),
                                   sizeof(tbk_buffer_t),
                                   sizeof(tbk_payload_t),
                                   sizeof(tbk_value_t),
                                   sizeof(tbk_call_t),
                                   sizeof(tbk_reply_t),
                                   sizeof(tbk_event_t),
                                   offsetof(tbk_attach_options_t, flags),
                                   offsetof(tbk_payload_t, refs),
                                   offsetof(tbk_value_t, hold),
                                   offsetof(tbk_call_t, args),
                                   offsetof(tbk_reply_t, value),
                                   offsetof(tbk_event_t, deadline_ns),
                                   offsetof(tbk_event_t, value),
                                   offsetof(tbk_stats_t, bytes_shared)};
  ASSERT_EQ(in_cpp.size(), released.size());
  for (size_t i = 0; i < released.size(); ++i) {
    EXPECT_EQ(in_cpp[i], released[i]) << "fact " << i;
    EXPECT_EQ(tbk_layout_in_c(static_cast<unsigned>(i)), released[i]) << "fact " << i << " in C";
  }
}

TEST(AbiTest, EveryStatusHasAName) {
  for (int status = TBK_OK; status <= TBK_PEER_DEAD; ++status) {
    EXPECT_STRNE(tbk_status_name(static_cast<tbk_status_t>(status)), "UNKNOWN");
  }
  EXPECT_STREQ(tbk_status_name(static_cast<tbk_status_t>(15)), "UNKNOWN");
}

TEST(AbiTest, WrongArgumentsAreRefusedWithAText) {
  tbk_endpoint_t* endpoint = nullptr;
  EXPECT_EQ(tbk_attach(nullptr, &endpoint), TBK_INVALID);
  tbk_attach_options_t options{};
  EXPECT_EQ(tbk_attach(&options, &endpoint), TBK_INVALID);
  EXPECT_NE(std::string(tbk_last_error()), "");
  options.size = sizeof options;
  options.socket_path = "/nowhere/node.sock";
  EXPECT_EQ(tbk_attach(&options, &endpoint), TBK_NOT_FOUND);
  EXPECT_NE(std::string(tbk_last_error()).find("/nowhere/node.sock"), std::string::npos);
  EXPECT_EQ(tbk_put(nullptr, nullptr, nullptr), TBK_INVALID);
  EXPECT_EQ(tbk_poll_fd(nullptr), -1);
}

}  // namespace
