#include "node/member.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <thread>

#include "node/testing/helper_process.h"
#include "node/testing/node_fixture.h"
#include "shm/node_board.h"

namespace thornback::node {
namespace {

using testing::HelperProcess;
using testing::is_same_file;
using testing::make_channel;
using testing::NodeTest;
using testing::TestEndpoint;
using testing::TestFolder;

class MemberTest : public NodeTest {};

TEST_F(MemberTest, ConnectingIntroducesBoth) {
  const auto asking = attach();
  const auto asked = attach();
  UniqueFd proposal = make_channel();
  const UniqueFd copy(dup(proposal.get()));
  Result<ConnectionFds> result = asking->member->connect(asked->id(), std::move(proposal));
  ASSERT_TRUE(result.is_ok()) << result.status().text();
  const ConnectionFds mine = result.take();
  EXPECT_EQ(mine.side, 0u);
  EXPECT_EQ(mine.peer.endpoint_id, asked->id());
  EXPECT_TRUE(is_same_file(mine.peer.record.get(), asked->record->record_fd.get()));
  EXPECT_TRUE(is_same_file(mine.peer.arena.get(), asked->record->arena_fd.get()));
  EXPECT_TRUE(is_same_file(mine.channel.get(), copy.get()));

  const ConnectionFds theirs = asked->sink.wait_for_connection();
  EXPECT_EQ(theirs.side, 1u);
  EXPECT_EQ(theirs.peer.endpoint_id, asking->id());
  EXPECT_TRUE(is_same_file(theirs.peer.record.get(), asking->record->record_fd.get()));
  EXPECT_TRUE(is_same_file(theirs.peer.arena.get(), asking->record->arena_fd.get()));
  EXPECT_TRUE(is_same_file(theirs.channel.get(), copy.get()));

  // Both can wake each other with what they were given.
  eventfd_write(mine.peer.keeper.get(), 1);
  asked->sink.wait_for_wakes(1);
  eventfd_write(theirs.peer.keeper.get(), 1);
  asking->sink.wait_for_wakes(1);
  eventfd_write(mine.peer.poll.get(), 1);
  eventfd_t count = 0;
  EXPECT_EQ(eventfd_read(asked->member->poll_fd(), &count), 0);
}

TEST_F(MemberTest, AskingAgainGivesTheFirstChannel) {
  const auto asking = attach();
  const auto asked = attach();
  const ConnectionFds first = asking->member->connect(asked->id(), make_channel()).take();
  const ConnectionFds again = asking->member->connect(asked->id(), make_channel()).take();
  EXPECT_EQ(again.side, 0u);
  EXPECT_TRUE(is_same_file(again.channel.get(), first.channel.get()));
  const ConnectionFds reverse = asked->member->connect(asking->id(), make_channel()).take();
  EXPECT_EQ(reverse.side, 1u);
  EXPECT_TRUE(is_same_file(reverse.channel.get(), first.channel.get()));
  EXPECT_TRUE(is_same_file(reverse.peer.record.get(), asking->record->record_fd.get()));
}

TEST_F(MemberTest, SimultaneousConnectsEndWithOneChannel) {
  for (int round = 0; round < 50; ++round) {
    const auto left = attach();
    const auto right = attach();
    ConnectionFds left_fds;
    std::thread other(
        [&] { left_fds = left->member->connect(right->id(), make_channel()).take(); });
    const ConnectionFds right_fds = right->member->connect(left->id(), make_channel()).take();
    other.join();
    EXPECT_TRUE(is_same_file(left_fds.channel.get(), right_fds.channel.get()));
    EXPECT_EQ(left_fds.side + right_fds.side, 1u);
    // Whoever came second is told of the connection as well.
    const auto& second = left_fds.side == 1 ? left : right;
    const ConnectionFds notice = second->sink.wait_for_connection();
    EXPECT_TRUE(is_same_file(notice.channel.get(), left_fds.channel.get()));
  }
}

TEST_F(MemberTest, ConnectingFailsWithTheReason) {
  const auto endpoint = attach();
  Member& member = *endpoint->member;
  EXPECT_EQ(member.connect(77, make_channel()).status().code(), TBK_NOT_FOUND);
  EXPECT_EQ(member.connect(0xffffffff, make_channel()).status().code(), TBK_NOT_FOUND);
  EXPECT_EQ(member.connect(endpoint->id(), make_channel()).status().code(), TBK_INVALID);
  UniqueFd not_sealed(memfd_create("not-sealed", MFD_CLOEXEC));
  EXPECT_EQ(member.connect(kAgentId, std::move(not_sealed)).status().code(), TBK_INVALID);
  const testing::RawEndpoint unpublished(socket_path(), testing::RawStep::kWelcomed);
  EXPECT_EQ(member.connect(unpublished.id, make_channel()).status().code(), TBK_NOT_FOUND);
  auto peer = attach();
  const uint32_t gone = peer->id();
  peer.reset();
  agent->sink.wait_for_death(gone);
  EXPECT_EQ(member.connect(gone, make_channel()).status().code(), TBK_PEER_DEAD);
  EXPECT_EQ(member.open_arena(gone).status().code(), TBK_PEER_DEAD);
  EXPECT_EQ(member.open_arena(77).status().code(), TBK_NOT_FOUND);
  // None of this has harmed the connection to the node.
  EXPECT_TRUE(member.connect(kAgentId, make_channel()).is_ok());
}

TEST_F(MemberTest, TheStepsComeInOrder) {
  auto member = Member::join({socket_path(), TBK_ROLE_WORKER, "test", ""}).take();
  testing::RecordingSink sink;
  EXPECT_EQ(member->start(sink).code(), TBK_INVALID);
  EXPECT_EQ(member->connect(kAgentId, make_channel()).status().code(), TBK_INVALID);
  const testing::TestRecord record(member->endpoint_id());
  ASSERT_TRUE(
      member->publish(*record.record, record.record_fd.get(), record.arena_fd.get()).is_ok());
  EXPECT_EQ(member->publish(*record.record, record.record_fd.get(), record.arena_fd.get()).code(),
            TBK_INVALID);
  // Reachable before the keeper starts: the notice waits in the socket.
  ASSERT_TRUE(agent->member->connect(member->endpoint_id(), make_channel()).is_ok());
  ASSERT_TRUE(member->start(sink).is_ok());
  EXPECT_EQ(sink.wait_for_connection().peer.endpoint_id, kAgentId);
  EXPECT_EQ(member->start(sink).code(), TBK_INVALID);
  member.reset();  // before the record and the sink
}

TEST_F(MemberTest, RefusesOptionsThatDoNotFit) {
  EXPECT_EQ(Member::join({socket_path(), TBK_ROLE_WORKER, "sixteen bytes...", ""}).status().code(),
            TBK_INVALID);
  EXPECT_EQ(
      Member::join({socket_path(), TBK_ROLE_WORKER, "", std::string(128, 't')}).status().code(),
      TBK_INVALID);
  EXPECT_EQ(Member::join({folder.path() + "/nobody", TBK_ROLE_WORKER, "", ""}).status().code(),
            TBK_NOT_FOUND);
}

TEST_F(MemberTest, ArenasOfOthersCanBeOpened) {
  auto owner = attach();
  const auto reader = attach();
  const Result<UniqueFd> arena = reader->member->open_arena(owner->id());
  ASSERT_TRUE(arena.is_ok()) << arena.status().text();
  EXPECT_TRUE(is_same_file(arena.value().get(), owner->record->arena_fd.get()));
  // A holder learns of the death although the two were never connected, and may still open it then.
  const uint32_t id = owner->id();
  const UniqueFd original(dup(owner->record->arena_fd.get()));
  owner.reset();
  EXPECT_EQ(reader->sink.wait_for_death(id), "detached");
  const auto late = attach();
  EXPECT_TRUE(is_same_file(late->member->open_arena(id).take().get(), original.get()));
  EXPECT_EQ(late->member->connect(id, make_channel()).status().code(), TBK_PEER_DEAD);
}

TEST_F(MemberTest, AnIndexIsFreeWhenNobodyHoldsTheArena) {
  auto owner = attach();
  const auto reader = attach();
  const uint32_t id = owner->id();
  ASSERT_TRUE(reader->member->connect(id, make_channel()).is_ok());
  auto second_reader = attach();
  ASSERT_TRUE(second_reader->member->open_arena(id).is_ok());
  shm::NodeBoard& board = agent->member->board();
  const uint32_t index = endpoint_index(id);
  board.granted[index].store(1000);
  board.activity[index].store(1);
  owner.reset();
  EXPECT_EQ(reader->sink.wait_for_death(id), "detached");
  EXPECT_EQ(attach()->id(), 4u) << "the index of an arena that is held was given again";
  EXPECT_EQ(board.granted[index].load(), 1000u);
  reader->member->arena_unmapped(id);
  second_reader.reset();  // its holds end with it
  EXPECT_TRUE(testing::eventually([&] { return hub->endpoints_held() == 0; }));
  EXPECT_EQ(board.granted[index].load(), 0u);
  EXPECT_EQ(board.activity[index].load(), 0u);
  const auto next = attach();
  EXPECT_EQ(endpoint_index(next->id()), index);
  EXPECT_EQ(endpoint_generation(next->id()), 1u);
  EXPECT_EQ(reader->member->connect(id, make_channel()).status().code(), TBK_PEER_DEAD);
  EXPECT_EQ(reader->member->connect(next->id(), make_channel()).value().side, 0u);
}

TEST_F(MemberTest, AForkedChildNeitherDetachesNorKeepsAlive) {
  HelperProcess process(socket_path());
  const uint32_t id = process.ask_number("attach");
  const pid_t grandchild = static_cast<pid_t>(process.ask_number("fork"));
  process.kill(SIGKILL);
  EXPECT_EQ(agent->sink.wait_for_death(id), "killed by signal 9 (SIGKILL)");
  kill(grandchild, SIGKILL);

  auto endpoint = attach();
  const pid_t child = fork();
  if (child == 0) {
    endpoint.reset();
    _exit(7);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  EXPECT_TRUE(endpoint->member->connect(kAgentId, make_channel()).is_ok());
  EXPECT_EQ(agent->sink.death_count(endpoint->id()), 0u);
}

TEST_F(MemberTest, AnAlarmComesOnceAndNotTooEarly) {
  const auto endpoint = attach();
  const uint64_t time = now_ns() + 2'000'000;
  endpoint->member->set_alarm(now_ns() + 3600'000'000'000);
  endpoint->member->set_alarm(time);
  EXPECT_GE(endpoint->sink.wait_for_alarm(), time);
  eventfd_write(endpoint->member->keeper_fd(), 1);
  endpoint->sink.wait_for_wakes(1);
  EXPECT_EQ(endpoint->sink.alarm_count(), 1u);
}

// The node's process is killed: its members, in other processes, notice.
TEST(NodeDeathTest, MembersNotice) {
  const TestFolder folder;
  const std::string path = folder.path() + "/s";
  HelperProcess node(path);
  ASSERT_EQ(node.ask("serve"), "serving");
  const TestEndpoint member(path, TBK_ROLE_WORKER);
  ASSERT_TRUE(member.status.is_ok()) << member.status.text();
  node.kill(SIGKILL);
  const_cast<TestEndpoint&>(member).sink.wait_for_node_gone();
  EXPECT_EQ(member.member->connect(kAgentId, make_channel()).status().code(), TBK_CLOSED);
  // Until the kernel has closed all of its descriptors, connections may still begin, and break.
  EXPECT_TRUE(testing::eventually([&] {
    return Member::join({path, TBK_ROLE_WORKER, "", ""}).status().code() == TBK_NOT_FOUND;
  }));
  // The next node takes the place of the socket file that the killed one has left.
  auto hub = Hub::start({path, 1, 1});
  EXPECT_TRUE(hub.is_ok()) << hub.status().text();
}

}  // namespace
}  // namespace thornback::node
