// Clients that are faulty: whatever they send, the node and the other endpoints stay well.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <random>

#include "node/control_link.h"
#include "node/control_socket.h"
#include "node/testing/node_fixture.h"

namespace thornback::node {
namespace {

using testing::descriptor_count;
using testing::eventually;
using testing::NodeTest;

uint64_t soon() {
  return now_ns() + 60'000'000'000;
}

// What a faulty client sends harms nobody else, whatever stage it has reached.
class GarbageTest : public NodeTest {
 protected:
  void expect_isolated(const UniqueFd& socket) {
    for (;;) {
      const Result<Received> answer = receive_message_until(socket.get(), soon());
      if (answer.is_ok()) continue;
      EXPECT_EQ(answer.status().code(), TBK_CLOSED);
      break;
    }
    const auto one = attach();
    const auto other = attach();
    EXPECT_TRUE(one->member->connect(other->id(), testing::make_channel()).is_ok());
  }
  UniqueFd connected() const { return connect_to(socket_path(), soon()).take(); }
};

TEST_F(GarbageTest, InsteadOfAHello) {
  const size_t before = descriptor_count();
  for (const size_t size : {size_t{1}, size_t{31}, size_t{479}, size_t{480}, size_t{4096}}) {
    const UniqueFd socket = connected();
    const std::string noise(size, 'x');
    ASSERT_EQ(send(socket.get(), noise.data(), size, 0), static_cast<ssize_t>(size));
    expect_isolated(socket);
  }
  for (const MessageKind kind :
       {MessageKind::kArmed, MessageKind::kWelcome, MessageKind::kOpenArena, MessageKind(99)}) {
    const UniqueFd socket = connected();
    (void)send_message(socket.get(), ControlMessage(kind), {}).is_ok();
    expect_isolated(socket);
  }
  EXPECT_TRUE(
      eventually([&] { return hub->endpoints_alive() == 1 && descriptor_count() <= before; }));
}

TEST_F(GarbageTest, WithDescriptorsThatNobodyAskedFor) {
  const size_t before = descriptor_count();
  const std::array<int, 5> five{0, 0, 0, 0, 0};
  for (size_t count = 1; count <= five.size(); ++count) {
    const UniqueFd socket = connected();
    (void)send_message(socket.get(), ControlMessage(MessageKind::kHello),
                       std::span(five).first(count))
        .is_ok();
    expect_isolated(socket);
  }
  EXPECT_TRUE(
      eventually([&] { return hub->endpoints_alive() == 1 && descriptor_count() <= before; }));
}

TEST_F(GarbageTest, InsteadOfARecord) {
  const testing::TestRecord good(1);
  const UniqueFd bell(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const UniqueFd blocking_bell(eventfd(0, EFD_CLOEXEC));
  const UniqueFd unsealed(memfd_create("unsealed", MFD_CLOEXEC));
  const UniqueFd empty = shm::create_memory_file("empty", 0).take();
  const int record = good.record_fd.get();
  const int arena = good.arena_fd.get();
  const std::array<std::array<int, 4>, 5> cases{{{unsealed.get(), arena, bell.get(), bell.get()},
                                                 {empty.get(), arena, bell.get(), bell.get()},
                                                 {record, bell.get(), bell.get(), bell.get()},
                                                 {record, arena, record, bell.get()},
                                                 {record, arena, bell.get(), blocking_bell.get()}}};
  for (const auto& descriptors : cases) {
    const UniqueFd socket = connected();
    ControlMessage hello(MessageKind::kHello);
    hello.role = TBK_ROLE_WORKER;
    ASSERT_TRUE(send_message(socket.get(), hello, {}).is_ok());
    ASSERT_EQ(receive_message_until(socket.get(), soon()).take().message.kind,
              MessageKind::kWelcome);
    ASSERT_TRUE(
        send_message(socket.get(), ControlMessage(MessageKind::kPublish), descriptors).is_ok());
    const Received answer = receive_message_until(socket.get(), soon()).take();
    EXPECT_EQ(answer.message.kind, MessageKind::kShutdown);
    expect_isolated(socket);
  }
}

TEST_F(GarbageTest, FromAPublishedEndpointIsItsDeathForTheOthers) {
  testing::RawEndpoint faulty(socket_path());
  const auto peer = attach();
  ASSERT_TRUE(peer->member->connect(faulty.id, testing::make_channel()).is_ok());
  ASSERT_EQ(send(faulty.socket.get(), "noise", 5, 0), 5);
  const std::string cause = "cut off by the node: a packet of 5 bytes that is no control message";
  EXPECT_EQ(peer->sink.wait_for_death(faulty.id), cause);
  EXPECT_EQ(agent->sink.wait_for_death(faulty.id), cause);
  expect_isolated(faulty.socket);
}

// A client that reads nothing fills its socket; the hub goes on serving the others, and cuts it off
// once more waits for it than a correct client ever leaves.
TEST_F(GarbageTest, AClientThatDoesNotReadIsCutOff) {
  testing::RawEndpoint stuck(socket_path());
  const auto peer = attach();
  ControlMessage request(MessageKind::kOpenArena);
  request.endpoint_id = 4000;  // answered by a refusal
  for (size_t i = 0; i < ControlLink::kQueueMax * 2 && peer->sink.death_count(stuck.id) == 0; ++i) {
    if (!send_message_until(stuck.socket.get(), request, {}, soon()).is_ok()) break;
    if (i != 2000) continue;
    EXPECT_TRUE(peer->member->connect(stuck.id, testing::make_channel()).is_ok());
  }
  EXPECT_EQ(agent->sink.wait_for_death(stuck.id),
            "cut off by the node: it does not read its control socket");
  EXPECT_NE(peer->sink.wait_for_death(stuck.id), "");
}

// Messages that look right, in any order and with any values. None of them may harm the hub; the
// sanitizers see to that. The seed is printed with a failure.
TEST_F(GarbageTest, AnySequenceOfMessages) {
  const int shuffle_seed = ::testing::UnitTest::GetInstance()->random_seed();
  const unsigned seed = shuffle_seed != 0 ? static_cast<unsigned>(shuffle_seed) : 1;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand random(seed);
  const auto peer = attach();
  const UniqueFd file = testing::make_channel();
  const UniqueFd bell(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  for (int client = 0; client < 300; ++client) {
    const auto step = static_cast<testing::RawStep>(random() % 5);
    const testing::RawEndpoint faulty(socket_path(), step);
    for (int i = 0; i < 8; ++i) {
      ControlMessage message(
          static_cast<MessageKind>(random() % 4 == 0 ? random() % 64 : 1 + random() % 7));
      message.request = static_cast<uint32_t>(random());
      message.endpoint_id =
          static_cast<uint32_t>(random() % 2 == 0 ? random() % 8 : random() * 7919);
      message.role = static_cast<uint32_t>(random() % 4);
      message.number = static_cast<uint32_t>(random());
      std::fill(std::begin(message.token), std::end(message.token), static_cast<char>(random()));
      std::array<int, 5> descriptors{};
      for (int& fd : descriptors) fd = random() % 2 == 0 ? file.get() : bell.get();
      const int right = descriptors_of(message.kind);
      const size_t count =
          right >= 0 && random() % 8 != 0 ? static_cast<size_t>(right) : random() % 6;
      if (!send_message(faulty.socket.get(), message, std::span(descriptors).first(count)).is_ok())
        break;
    }
  }
  EXPECT_TRUE(eventually([&] { return hub->endpoints_alive() == 2; }));
  const auto other = attach();
  EXPECT_TRUE(other->member->connect(peer->id(), testing::make_channel()).is_ok());
}

}  // namespace
}  // namespace thornback::node
