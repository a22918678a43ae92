// Members that meet a node which is not as it should be.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <thread>

#include "node/control_socket.h"
#include "node/testing/helper_process.h"
#include "node/testing/node_fixture.h"
#include "shm/node_board.h"

namespace thornback::node {
namespace {

using testing::TestEndpoint;
using testing::TestFolder;

uint64_t soon() {
  return now_ns() + 60'000'000'000;
}

// Answers the first hello in a way of the test's choice, then hangs up.
class FakeNode {
 public:
  template <typename Answer>
  explicit FakeNode(Answer answer) : listener_(listen_at(path()).take()) {
    thread_ = std::thread([this, answer] {
      pollfd item{listener_.get(), POLLIN, 0};
      EXPECT_EQ(poll(&item, 1, 60'000), 1);
      const UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      EXPECT_TRUE(receive_message_until(socket.get(), soon()).is_ok());
      answer(socket.get());
    });
  }
  ~FakeNode() { thread_.join(); }
  std::string path() const { return folder_.path() + "/s"; }

  // As a real node does it.
  static void welcome(int socket) {
    const UniqueFd board = shm::create_memory_file("fake-board", shm::kNodeBoardBytes).take();
    auto view =
        shm::Mapping::map(board.get(), 0, shm::kNodeBoardBytes, shm::Access::kReadWrite).take();
    shm::NodeBoard::create(view.data(), 1, 1);
    const int descriptor = board.get();
    EXPECT_TRUE(
        send_message(socket, ControlMessage(MessageKind::kWelcome), {&descriptor, 1}).is_ok());
  }

 private:
  TestFolder folder_;
  UniqueFd listener_;
  std::thread thread_;
};

Status join(const FakeNode& node) {
  return Member::join({node.path(), TBK_ROLE_WORKER, "", ""}).status();
}

TEST(MemberHandshakeTest, NamesBothVersions) {
  const FakeNode node([](int socket) {
    ControlMessage message(MessageKind::kWelcome);
    set_text(message.build_version, "9.8.7");
    message.abi_version = 77;
    EXPECT_TRUE(send_message(socket, message, {}).is_ok());
  });
  const Status status = join(node);
  EXPECT_EQ(status.code(), TBK_VERSION_MISMATCH);
  EXPECT_EQ(status.text(), "this process runs " + describe_version(kBuildVersion, TBK_ABI_VERSION) +
                               ", the node runs Thornback 9.8.7 (ABI 77)");
}

TEST(MemberHandshakeTest, ReportsANodeThatHangsUp) {
  const FakeNode node([](int) {});
  EXPECT_EQ(join(node).code(), TBK_CLOSED);
}

TEST(MemberHandshakeTest, ReportsNonsense) {
  const FakeNode noise([](int socket) { EXPECT_EQ(send(socket, "noise", 5, 0), 5); });
  EXPECT_EQ(join(noise).code(), TBK_PROTOCOL);
  const FakeNode wrong_kind([](int socket) {
    EXPECT_TRUE(send_message(socket, ControlMessage(MessageKind::kPublished), {}).is_ok());
  });
  EXPECT_EQ(join(wrong_kind).code(), TBK_PROTOCOL);
  const FakeNode no_board([](int socket) {
    const UniqueFd board = shm::create_memory_file("no-board", shm::kNodeBoardBytes).take();
    const int descriptor = board.get();
    EXPECT_TRUE(
        send_message(socket, ControlMessage(MessageKind::kWelcome), {&descriptor, 1}).is_ok());
  });
  EXPECT_EQ(join(no_board).code(), TBK_PROTOCOL);
  const FakeNode short_board([](int socket) {
    const UniqueFd board = shm::create_memory_file("short-board", 4096).take();
    const int descriptor = board.get();
    EXPECT_TRUE(
        send_message(socket, ControlMessage(MessageKind::kWelcome), {&descriptor, 1}).is_ok());
  });
  EXPECT_EQ(join(short_board).code(), TBK_PROTOCOL);
}

// A member whose node goes mad leaves it, and says so, instead of trusting what follows.
TEST(MemberHandshakeTest, LeavesANodeThatGoesMad) {
  const FakeNode node([](int socket) {
    FakeNode::welcome(socket);
    EXPECT_TRUE(receive_message_until(socket, soon()).is_ok());
    EXPECT_TRUE(send_message(socket, ControlMessage(MessageKind::kPublished), {}).is_ok());
    EXPECT_TRUE(receive_message_until(socket, soon()).is_ok());
    EXPECT_EQ(send(socket, "noise", 5, 0), 5);
    // Until the member has gone: it must not take the end of the socket for the reason.
    (void)receive_message_until(socket, soon()).is_ok();
  });
  TestEndpoint member(node.path(), TBK_ROLE_WORKER);
  ASSERT_TRUE(member.status.is_ok()) << member.status.text();
  EXPECT_EQ(member.sink.wait_for_node_gone(),
            "the connection to the node failed: a packet of 5 bytes that is no control message");
  EXPECT_EQ(member.member->connect(1, testing::make_channel()).status().code(), TBK_PROTOCOL);
}

// A node without free descriptors says so to who wants in, and goes on serving once some are free.
TEST(NodeLimitsTest, OutOfDescriptors) {
  const TestFolder folder;
  const std::string path = folder.path() + "/s";
  testing::HelperProcess node(path);
  ASSERT_EQ(node.ask("serve"), "serving");
  ASSERT_EQ(node.ask("limit-descriptors 40"), "limited");
  std::vector<std::unique_ptr<TestEndpoint>> endpoints;
  do {
    endpoints.push_back(std::make_unique<TestEndpoint>(path, TBK_ROLE_WORKER));
    ASSERT_LT(endpoints.size(), 40u);
  } while (endpoints.back()->status.is_ok());
  EXPECT_NE(endpoints.back()->status.text().find("out of descriptors"), std::string::npos)
      << endpoints.back()->status.text();
  endpoints.pop_back();
  ASSERT_GE(endpoints.size(), 2u);
  const auto connection = endpoints[0]->member->open_arena(endpoints[1]->id());
  EXPECT_TRUE(connection.is_ok()) << connection.status().text();
  endpoints.clear();
  EXPECT_TRUE(
      testing::eventually([&] { return TestEndpoint(path, TBK_ROLE_WORKER).status.is_ok(); }));
}

}  // namespace
}  // namespace thornback::node
