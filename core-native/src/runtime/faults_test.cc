// Peers that die or write nonsense: whoever waits gets a typed error soon, nobody else notices.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <random>

#include "base/clock.h"
#include "channel/channel.h"
#include "node/member.h"
#include "node/notice_sink.h"
#include "shm/endpoint_record.h"
#include "shm/waking.h"
#include "store/arena.h"
#include "testing/runtime/child_worker.h"
#include "testing/runtime/session_fixture.h"

namespace thornback::testing {
namespace {

tbk_target_t open_target(tbk_endpoint_t* from, uint32_t endpoint) {
  tbk_target_t target = 0;
  EXPECT_EQ(tbk_target_endpoint(from, endpoint, 1, &target), TBK_OK);
  return target;
}

TEST(FaultsTest, EveryCallOfAKilledWorkerGetsOneAnswer) {
  std::mt19937 random(20);
  for (int round = 0; round < 20; ++round) {
    const PrivateFolder folder;
    ChildWorker worker(folder.socket());
    Session session(folder.socket(), 64 << 20);
    const uint32_t id = session.next_peer();
    tbk_endpoint_t* driver = session.agent();
    const tbk_target_t target = open_target(driver, id);
    std::vector<tbk_ref_t> results;
    const auto kill_at = static_cast<uint32_t>(random() % 20'000);
    const std::string big(30'000, 'b');
    const std::string small = "small";
    for (uint32_t i = 0; i < 20'000; ++i) {
      if (i == kill_at) worker.kill(SIGKILL);
      results.push_back(call(driver, target, "echo", i % 100 == 0 ? payload(big) : payload(small)));
    }
    uint64_t answered = 0, failed = 0;
    for (const tbk_ref_t result : results) {
      bool is_error = false;
      const std::string answer = get(driver, result, &is_error);
      if (is_error) {
        ASSERT_NE(answer.find("ACTOR_DIED"), std::string::npos);
        ++failed;
      } else {
        ASSERT_TRUE(answer == "small" || answer == big);
        ASSERT_EQ(failed, 0U) << "an answer after a failure";
        ++answered;
      }
      release(driver, result);
    }
    EXPECT_EQ(answered + failed, 20'000U);
    EXPECT_GT(failed, 0U);
    EXPECT_EQ(stats(driver).calls_pending, 0U);
    EXPECT_EQ(stats(driver).objects_live, 0U) << "objects handed to the dead come back";
  }
}

TEST(FaultsTest, TheCauseOfADeathIsNamed) {
  for (const auto& [function_name, cause] :
       {std::pair{"die", "signal 11"}, std::pair{"exit", "code 3"}}) {
    const PrivateFolder folder;
    const ChildWorker worker(folder.socket());
    Session session(folder.socket(), 64 << 20);
    const tbk_target_t target = open_target(session.agent(), session.next_peer());
    const std::string error =
        get(session.agent(), call(session.agent(), target, function_name, payload("")));
    EXPECT_NE(error.find(cause), std::string::npos) << error;
  }
}

TEST(FaultsTest, DeathIsNoticedWithinMillisecondsWhateverTheMemory) {
  std::vector<uint64_t> times;
  for (int round = 0; round < 10; ++round) {
    const PrivateFolder folder;
    ChildWorker worker(folder.socket(), 512 << 20);
    Session session(folder.socket(), 64 << 20);
    tbk_endpoint_t* driver = session.agent();
    const tbk_target_t target = open_target(driver, session.next_peer());
    EXPECT_EQ(get(driver, call(driver, target, "echo", payload("up"))), "up");
    const tbk_ref_t held = call(driver, target, "hold", payload(""));
    const uint64_t start = now_ns();
    worker.kill(SIGKILL);
    EXPECT_NE(get(driver, held).find("ACTOR_DIED"), std::string::npos);
    times.push_back(now_ns() - start);
  }
  std::sort(times.begin(), times.end());
  RecordProperty("median_us", static_cast<int>(times[times.size() / 2] / 1000));
  std::printf(
      "death of a process with 512 MiB noticed after %.0f us (median of 10), %.0f us at most\n",
      static_cast<double>(times[5]) / 1e3, static_cast<double>(times.back()) / 1e3);
}

TEST(FaultsTest, LastWordsArriveBeforeTheNewsOfTheEnd) {
  Session session;
  for (int round = 0; round < 50; ++round) {
    tbk_endpoint_t* leaving = session.attach();
    const uint32_t id = session.next_peer();
    tbk_call_t words{};
    ASSERT_EQ(tbk_target_endpoint(leaving, endpoint_id(session.agent()), 0, &words.target), TBK_OK);
    words.function = function(leaving, "farewell");
    const std::string text = "words";
    words.args = payload(text);
    uint32_t accepted = 0;
    ASSERT_EQ(tbk_submit(leaving, &words, 1, &accepted), TBK_OK);
    session.detach(leaving);
    std::vector<uint32_t> kinds;
    while (kinds.size() < 2) {
      tbk_event_t event{};
      uint32_t count = 0;
      ASSERT_EQ(tbk_poll(session.agent(), &event, 1, 10'000'000'000, &count), TBK_OK);
      ASSERT_EQ(count, 1U);
      kinds.push_back(event.kind);
      EXPECT_EQ(event.caller, id);
      if (event.kind != TBK_EVENT_CALL) continue;
      tbk_reply_t reply{};
      reply.call = event.call;
      reply.value = tbk_payload_t{};
      ASSERT_EQ(tbk_reply(session.agent(), &reply, 1, &accepted), TBK_OK);
    }
    ASSERT_EQ(kinds, (std::vector<uint32_t>{TBK_EVENT_CALL, TBK_EVENT_PEER_LEFT})) << round;
  }
}

// Seen from the thread that watches the node, one's own leaving looks like the node's end.
TEST(FaultsTest, WhoLeavesByItselfIsNotEndedWithTheNode) {
  const PrivateFolder folder;
  const Session session(folder.socket(), 64 << 20);
  const std::string socket = folder.socket();
  for (int round = 0; round < 10; ++round) {
    tbk_attach_options_t options = attach_options(socket, TBK_ROLE_WORKER);
    options.flags = TBK_ATTACH_EXIT_WITH_NODE;
    tbk_endpoint_t* worker = nullptr;
    ASSERT_EQ(tbk_attach(&options, &worker), TBK_OK);
    tbk_detach(worker);
  }
}

// A member of the node that speaks no protocol: what it writes into its channel is up to the test.
class FaultyPeer : public node::NoticeSink {
 public:
  explicit FaultyPeer(const std::string& socket) {
    node::MemberOptions options;
    options.socket_path = socket;
    options.role = TBK_ROLE_WORKER;
    member_ = node::Member::join(options).take();
    record_file_ = shm::create_memory_file("record", shm::kEndpointRecordBytes).take();
    mapping_ =
        shm::Mapping::map(record_file_.get(), 0, shm::kEndpointRecordBytes, shm::Access::kReadWrite)
            .take();
    record_ = shm::EndpointRecord::create(mapping_.data(), member_->endpoint_id(), getpid());
    arena_ = store::Arena::create(1 << 20, store::Quota::alone(1 << 20)).take();
    EXPECT_TRUE(member_->publish(*record_, record_file_.get(), arena_->fd()).is_ok());
    EXPECT_TRUE(member_->start(*this).is_ok());
  }
  ~FaultyPeer() override { member_.reset(); }

  uint32_t id() const { return member_->endpoint_id(); }

  void write_frame(uint16_t kind, const std::string& body) {
    node::ConnectionFds connection = connection_.get_future().get();
    auto channel = channel::Channel::open(connection.channel.get(), connection.side).take();
    auto mapping = shm::Mapping::map(connection.peer.record.get(), 0, shm::kEndpointRecordBytes,
                                     shm::Access::kReadWrite)
                       .take();
    std::byte* at = channel->out().claim(static_cast<uint32_t>(body.size()), kind, 0);
    std::memcpy(at, body.data(), body.size());
    channel->out().publish();
    shm::ring_and_wake({shm::EndpointRecord::open(mapping.data()), connection.peer.poll.get(),
                        connection.peer.keeper.get()},
                       id());
  }

  void on_connected(node::ConnectionFds connection) override {
    connection_.set_value(std::move(connection));
  }
  void on_peer_dead(uint32_t, std::string) override {}
  void on_peer_joined(node::PeerInfo) override {}
  void on_node_gone(std::string) override {}
  void on_keeper_wake() override {}
  void on_alarm() override {}

 private:
  std::promise<node::ConnectionFds> connection_;
  UniqueFd record_file_;
  shm::Mapping mapping_;
  shm::EndpointRecord* record_ = nullptr;
  std::unique_ptr<store::Arena> arena_;
  std::unique_ptr<node::Member> member_;
};

TEST(FaultsTest, APeerThatWritesNonsenseIsCutOffAndNobodyElse) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    const PrivateFolder folder;
    Session session(folder.socket(), 64 << 20);
    tbk_endpoint_t* driver = session.attach();
    EchoServer good(session.attach(TBK_ROLE_WORKER));
    FaultyPeer faulty(folder.socket());
    const tbk_ref_t result =
        call(driver, open_target(driver, faulty.id()), "echo", payload("question"));
    // Known kinds with random bodies, and unknown kinds.
    std::string body(random() % 200, '\0');
    for (char& byte : body) byte = static_cast<char>(random());
    faulty.write_frame(
        static_cast<uint16_t>(round < 30 ? static_cast<uint64_t>(round) % 16 : random()), body);
    // Some random frames are harmless; one that cannot be is written behind them by the peer's end.
    const tbk_target_t target = open_target(driver, good.id());
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(get(driver, call(driver, target, "echo", payload("fine"))), "fine");
    uint8_t ready = 0;
    const tbk_status_t status = tbk_wait(driver, &result, 1, 1, 20'000'000, &ready);
    if (status == TBK_OK) {
      EXPECT_NE(get(driver, result).find("cut off"), std::string::npos);
    } else {
      EXPECT_EQ(status, TBK_TIMEOUT);
    }
  }
}

TEST(FaultsTest, AnUnknownFrameKindFailsPendingCalls) {
  const PrivateFolder folder;
  Session session(folder.socket(), 64 << 20);
  tbk_endpoint_t* driver = session.attach();
  FaultyPeer faulty(folder.socket());
  const tbk_ref_t result =
      call(driver, open_target(driver, faulty.id()), "echo", payload("question"));
  faulty.write_frame(999, "garbage");
  EXPECT_NE(get(driver, result).find("cut off"), std::string::npos);
  EXPECT_NE(get(driver, call(driver, open_target(driver, faulty.id()), "echo", payload("again")))
                .find("cut off"),
            std::string::npos);
}

}  // namespace
}  // namespace thornback::testing
