// Processes die at every point of their membership, in every way.
#include "node/hub_deaths.h"

#include <random>
#include <tuple>

#include "node/testing/helper_process.h"
#include "node/testing/node_fixture.h"

namespace thornback::node {
namespace {

using testing::eventually;
using testing::HelperProcess;
using testing::NodeTest;

struct Ending {
  const char* command;  // nullptr: killed from outside
  const char* cause;
};
constexpr Ending kEndings[] = {{nullptr, "killed by signal 9 (SIGKILL)"},
                               {"segv", "killed by signal 11 (SIGSEGV)"},
                               {"exit 3", "exited with code 3"},
                               {"exit 0", "exited with code 0"}};

struct Point {
  const char* commands[2];
  bool is_published;
};
// Steps of RawEndpoint, then of a complete Member.
constexpr Point kPoints[] = {
    {{"raw 0"}, false},   // connected
    {{"raw 1"}, false},   // hello sent
    {{"raw 2"}, false},   // welcomed
    {{"raw 4"}, true},    // published, without a keeper
    {{"raw 4 1"}, true},  // amid a connect
    {{"attach"}, true},  {{"attach", "connect 0"}, true}, {{"attach", "block-keeper"}, true},
};

class DeathsTest : public NodeTest {
 protected:
  void expect_clean_node() const {
    EXPECT_TRUE(eventually([&] {
      return hub->endpoints_alive() == 1 && hub->endpoints_held() == 0;
    })) << hub->endpoints_alive()
        << " alive, " << hub->endpoints_held() << " held";
  }
};

// A peer in another process hears of it, and what it opened of the dead stays readable.
TEST_F(DeathsTest, ConnectedPeersAreTold) {
  HelperProcess victim(socket_path());
  HelperProcess connected(socket_path());
  HelperProcess holding(socket_path());
  const uint32_t id = victim.ask_number("attach");
  const uint32_t connected_id = connected.ask_number("attach");
  holding.ask_number("attach");
  const auto unrelated = attach();
  EXPECT_EQ(victim.ask("connect " + std::to_string(connected_id)), "side 0");
  EXPECT_EQ(connected.ask("accept"), std::to_string(id));
  EXPECT_EQ(holding.ask("open-arena " + std::to_string(id)), "open");
  victim.kill(SIGKILL);
  const std::string wait = "wait-death " + std::to_string(id);
  EXPECT_EQ(connected.ask(wait), "killed by signal 9 (SIGKILL)");
  EXPECT_EQ(holding.ask(wait), "killed by signal 9 (SIGKILL)");
  EXPECT_EQ(agent->sink.wait_for_death(id), "killed by signal 9 (SIGKILL)");
  EXPECT_EQ(unrelated->sink.death_count(id), 0u);
  EXPECT_EQ(unrelated->member->connect(id, testing::make_channel()).status().code(), TBK_PEER_DEAD);
  EXPECT_TRUE(unrelated->member->open_arena(id).is_ok());
  unrelated->member->arena_unmapped(id);
  EXPECT_EQ(hub->endpoints_held(), 1u);
  EXPECT_EQ(connected.ask("unmapped " + std::to_string(id)), "told");
  EXPECT_EQ(holding.ask("unmapped " + std::to_string(id)), "told");
  EXPECT_TRUE(eventually([&] { return hub->endpoints_held() == 0; }));
}

// Both ends of a membership without a word of farewell, as when it did not fit into the socket.
TEST_F(DeathsTest, TheLivenessWordTellsDetachingFromDying) {
  for (const bool is_given_back : {true, false}) {
    testing::RawEndpoint endpoint(socket_path());
    const uint32_t armed_value = 12345 | FUTEX_WAITERS;
    uint32_t* const futex = &endpoint.record->record->liveness.futex;
    __atomic_store_n(futex, armed_value, __ATOMIC_SEQ_CST);
    ControlMessage armed(MessageKind::kArmed);
    armed.number = armed_value;
    ASSERT_TRUE(send_message(endpoint.socket.get(), armed, {}).is_ok());
    if (is_given_back) __atomic_store_n(futex, 0, __ATOMIC_SEQ_CST);
    endpoint.socket.reset();
    EXPECT_EQ(agent->sink.wait_for_death(endpoint.id),
              is_given_back ? "detached" : "closed its control socket");
  }
}

TEST_F(DeathsTest, HoldersThatDieHoldNothing) {
  auto owner = attach();
  HelperProcess holder(socket_path());
  const uint32_t holder_id = holder.ask_number("attach");
  EXPECT_EQ(holder.ask("connect " + std::to_string(owner->id())), "side 0");
  const uint32_t owner_id = owner->id();
  owner.reset();
  EXPECT_EQ(holder.ask("wait-death " + std::to_string(owner_id)), "detached");
  EXPECT_EQ(hub->endpoints_held(), 1u);
  holder.kill(SIGKILL);
  agent->sink.wait_for_death(holder_id);
  expect_clean_node();
}

TEST_F(DeathsTest, ManyAtOnce) {
  std::vector<std::unique_ptr<HelperProcess>> processes;
  std::vector<uint32_t> ids;
  for (int i = 0; i < 20; ++i) {
    processes.push_back(std::make_unique<HelperProcess>(socket_path()));
    ids.push_back(processes.back()->ask_number("attach"));
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    for (size_t j = 0; j < i; ++j)
      EXPECT_EQ(processes[i]->ask("connect " + std::to_string(ids[j])), "side 0");
  }
  for (const auto& process : processes) process->kill(SIGKILL);
  for (const uint32_t id : ids)
    EXPECT_EQ(agent->sink.wait_for_death(id), "killed by signal 9 (SIGKILL)");
  expect_clean_node();
}

// The process attaches, connects and detaches without pause
// and is killed at a moment of no one's choice.
TEST_F(DeathsTest, AtAnyInstruction) {
  const auto peer = attach();
  const unsigned seed =
      ::testing::UnitTest::GetInstance()->random_seed() != 0
          ? static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed())
          : 1;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand random(seed);
  for (int round = 0; round < 60; ++round) {
    HelperProcess process(socket_path());
    EXPECT_EQ(process.ask("churn " + std::to_string(peer->id())), "churning");
    // Not a wait for anything: it only picks the moment.
    const uint64_t moment = now_ns() + random() % 1'500'000;
    while (now_ns() < moment) {
    }
    process.kill(SIGKILL);
    process.reap();
    // The node serves on, whatever was cut short.
    const auto other = attach();
    ASSERT_TRUE(other->member->connect(peer->id(), testing::make_channel()).is_ok());
  }
  EXPECT_TRUE(eventually([&] { return hub->endpoints_alive() == 2; }));
  // Everything that the dead held is given back; the peer itself still owes its answers.
  EXPECT_TRUE(eventually([&] {
    peer->sink.answer_deaths(*peer->member);
    return hub->endpoints_held() == 0;
  })) << hub->endpoints_held();
}

// A kernel without futex_waitv leaves the sockets and the process descriptors.
TEST(DeathsFallbackTest, WithoutFutexWaitv) {
  const testing::TestFolder folder;
  const std::string path = folder.path() + "/s";
  HelperProcess node(path);
  ASSERT_EQ(node.ask("forbid-futex-waitv"), "forbidden");
  ASSERT_EQ(node.ask("serve"), "serving");
  HelperProcess victim(path);
  const uint32_t id = victim.ask_number("attach");
  // A copy of its socket lives on in a child: only the process descriptor tells.
  const pid_t child = static_cast<pid_t>(victim.ask_number("fork"));
  victim.kill(SIGKILL);
  EXPECT_EQ(node.ask("wait-death " + std::to_string(id)), "killed by signal 9 (SIGKILL)");
  kill(child, SIGKILL);
}

class DeathTest : public NodeTest,
                  public ::testing::WithParamInterface<std::tuple<Ending, Point>> {};

TEST_P(DeathTest, IsNoticedAndCleanedUp) {
  const auto& [ending, point] = GetParam();
  {
    HelperProcess process(socket_path());
    const uint32_t id = process.ask_number(point.commands[0]);
    if (point.commands[1] != nullptr) {
      EXPECT_NE(process.ask(point.commands[1]), "");
    }
    if (point.is_published) agent->sink.wait_for_joined(id);
    ending.command == nullptr ? process.kill(SIGKILL) : process.tell(ending.command);
    process.reap();
    if (point.is_published) {
      const std::string cause = agent->sink.wait_for_death(id);
      EXPECT_EQ(cause, ending.cause);
      EXPECT_EQ(agent->sink.death_count(id), 1u);
      agent->member->arena_unmapped(id);
    }
  }
  EXPECT_TRUE(
      eventually([&] { return hub->endpoints_alive() == 1 && hub->endpoints_held() == 0; }));
  if (!point.is_published) {
    EXPECT_EQ(agent->sink.joined_count(), 0u);
  }
  // What was given to the dead is free again.
  EXPECT_TRUE(eventually([&] { return endpoint_index(attach()->id()) == 1; }));
}

INSTANTIATE_TEST_SUITE_P(EverywhereInEveryWay, DeathTest,
                         ::testing::Combine(::testing::ValuesIn(kEndings),
                                            ::testing::ValuesIn(kPoints)));

}  // namespace
}  // namespace thornback::node
