#include "node/hub.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>

#include "node/control_socket.h"
#include "node/testing/node_fixture.h"
#include "shm/node_board.h"

namespace thornback::node {
namespace {

using testing::descriptor_count;
using testing::eventually;
using testing::NodeTest;
using testing::TestEndpoint;
using testing::TestFolder;
using testing::thread_count;

class HubTest : public NodeTest {};

uint64_t soon() {
  return now_ns() + 60'000'000'000;
}

TEST_F(HubTest, TellsItsLimitsAndGivesIds) {
  EXPECT_EQ(agent->id(), kAgentId);
  EXPECT_EQ(agent->member->store_bytes_max(), testing::kTestStoreBytes);
  EXPECT_EQ(agent->member->arena_bytes_max(), testing::kTestStoreBytes);
  const auto first = attach("token of the first");
  const auto second = attach();
  EXPECT_EQ(first->id(), 1u);
  EXPECT_EQ(second->id(), 2u);
  shm::NodeBoard& board = second->member->board();
  EXPECT_EQ(board.store_bytes_max, testing::kTestStoreBytes);
  EXPECT_GE(board.cpu_count, 1u);
  EXPECT_EQ(board.high_water.load(), 3u);
  board.activity[1].store(1);
  EXPECT_EQ(agent->member->board().activity[1].load(), 1);

  const PeerInfo info = agent->sink.wait_for_joined(first->id());
  EXPECT_EQ(info.pid, getpid());
  EXPECT_EQ(info.role, uint32_t{TBK_ROLE_WORKER});
  EXPECT_EQ(info.language, "test");
  EXPECT_EQ(info.token, "token of the first");
}

TEST_F(HubTest, OnlyTheFirstAgentIsOne) {
  const TestEndpoint second(socket_path(), TBK_ROLE_AGENT);
  EXPECT_EQ(second.status.code(), TBK_CLOSED);
  EXPECT_EQ(second.status.text(), "the node has its agent already");
}

TEST(HubStartTest, RefusesWorkersBeforeTheAgent) {
  const TestFolder folder;
  const std::string path = folder.path() + "/s";
  const auto hub = Hub::start({path, 1, 1}).take();
  EXPECT_EQ(TestEndpoint(path, TBK_ROLE_WORKER).status.code(), TBK_CLOSED);
  EXPECT_TRUE(TestEndpoint(path, TBK_ROLE_AGENT).status.is_ok());
}

TEST(HubStartTest, RefusesAFolderOpenToOthers) {
  const TestFolder folder;
  chmod(folder.path().c_str(), 0750);
  const Status status = Hub::start({folder.path() + "/s", 1, 1}).status();
  EXPECT_EQ(status.code(), TBK_INVALID);
  EXPECT_NE(status.text().find("0700"), std::string::npos) << status.text();
  EXPECT_EQ(Hub::start({folder.path() + "/missing/s", 1, 1}).status().code(), TBK_IO);
  EXPECT_EQ(Hub::start({folder.path() + "/s", 0, 1}).status().code(), TBK_INVALID);
}

TEST(HubStartTest, TheSocketIsPrivateAndGoesAway) {
  const TestFolder folder;
  const std::string path = folder.path() + "/s";
  auto hub = Hub::start({path, 1, 1}).take();
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  hub.reset();
  EXPECT_TRUE(folder.is_empty());
}

TEST(HubStartTest, RefusesASecondNodeAtTheSamePath) {
  const TestFolder folder;
  const std::string path = folder.path() + "/s";
  const auto hub = Hub::start({path, 1, 1}).take();
  EXPECT_EQ(Hub::start({path, 1, 1}).status().code(), TBK_IO);
  EXPECT_TRUE(TestEndpoint(path, TBK_ROLE_AGENT).status.is_ok());
}

TEST_F(HubTest, NamesBothVersionsOfAMismatch) {
  const UniqueFd socket = connect_to(socket_path(), soon()).take();
  ControlMessage hello(MessageKind::kHello);
  hello.abi_version = 77;
  set_text(hello.build_version, "9.8.7");
  // A later version may have a longer hello; the prefix is all that is understood.
  std::array<char, 700> packet{};
  std::memcpy(packet.data(), &hello, sizeof(hello));
  ASSERT_EQ(send(socket.get(), packet.data(), packet.size(), 0),
            static_cast<ssize_t>(packet.size()));
  const Received answer = receive_message_until(socket.get(), soon()).take();
  EXPECT_EQ(answer.message.kind, MessageKind::kRefused);
  EXPECT_EQ(answer.message.status, uint32_t{TBK_VERSION_MISMATCH});
  EXPECT_EQ(text_of(answer.message.text),
            "this process runs Thornback 9.8.7 (ABI 77), the node runs " +
                describe_version(kBuildVersion, TBK_ABI_VERSION));
}

TEST_F(HubTest, RefusesOtherUsers) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  chmod(folder.path().c_str(), 0755);
  chmod(socket_path().c_str(), 0666);
  const pid_t child = fork();
  if (child == 0) {
    if (setuid(65534) != 0) _exit(1);
    const Result<UniqueFd> socket = connect_to(socket_path(), soon());
    if (!socket.is_ok()) _exit(2);
    const Result<Received> answer = receive_message_until(socket.value().get(), soon());
    const bool is_refused =
        answer.is_ok() && answer.value().message.kind == MessageKind::kRefused &&
        text_of(answer.value().message.text) == "the session belongs to another user";
    _exit(is_refused ? 42 : 3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) << status;
}

TEST_F(HubTest, ServesTwoHundredEndpoints) {
  std::vector<std::unique_ptr<TestEndpoint>> endpoints;
  endpoints.reserve(200);
  for (int i = 0; i < 200; ++i) endpoints.push_back(attach());
  EXPECT_EQ(hub->endpoints_alive(), 201u);
  for (const auto& endpoint : endpoints) {
    const auto connection = agent->member->connect(endpoint->id(), testing::make_channel());
    ASSERT_TRUE(connection.is_ok()) << connection.status().text();
  }
  endpoints.clear();
  for (uint32_t id = 1; id <= 200; ++id) EXPECT_EQ(agent->sink.wait_for_death(id), "detached");
  EXPECT_TRUE(eventually([&] { return hub->endpoints_alive() == 1; }));
}

TEST_F(HubTest, AThousandAttachmentsLeaveNothing) {
  attach().reset();
  ASSERT_TRUE(
      eventually([&] { return hub->endpoints_alive() == 1 && hub->endpoints_held() == 0; }));
  const size_t descriptors = descriptor_count();
  const size_t threads = thread_count();
  for (int i = 0; i < 1000; ++i) {
    const auto endpoint = attach();
    ASSERT_EQ(endpoint_index(endpoint->id()) <= 2, true);
  }
  EXPECT_TRUE(
      eventually([&] { return hub->endpoints_alive() == 1 && hub->endpoints_held() == 0; }));
  EXPECT_TRUE(eventually([&] { return descriptor_count() == descriptors; }))
      << descriptor_count() << " > " << descriptors;
  EXPECT_TRUE(eventually([&] { return thread_count() == threads; }))
      << thread_count() << " > " << threads;
}

TEST_F(HubTest, EndsWithEndpointsAttached) {
  const auto first = attach();
  const auto second = attach();
  hub.reset();
  EXPECT_EQ(agent->sink.wait_for_node_gone(), "the node was shut down");
  EXPECT_EQ(first->sink.wait_for_node_gone(), "the node was shut down");
  EXPECT_EQ(second->sink.wait_for_node_gone(), "the node was shut down");
  EXPECT_EQ(first->member->connect(second->id(), testing::make_channel()).status().code(),
            TBK_CLOSED);
  EXPECT_TRUE(folder.is_empty());
}

}  // namespace
}  // namespace thornback::node
