#include "node/control_socket.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <filesystem>

#include "base/clock.h"
#include "node/testing/node_fixture.h"

namespace thornback::node {
namespace {

using testing::is_same_file;
using testing::TestFolder;

uint64_t soon() {
  return now_ns() + 60'000'000'000;
}

struct Pair {
  UniqueFd left, right;
  Pair() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    left.reset(fds[0]);
    right.reset(fds[1]);
  }
};

TEST(ControlSocketTest, CarriesMessagesWithDescriptors) {
  const Pair pair;
  const UniqueFd board(eventfd(0, EFD_CLOEXEC));
  ControlMessage message(MessageKind::kWelcome);
  message.endpoint_id = 7;
  message.arena_bytes_max = 1ull << 40;
  set_text(message.text, "a text");
  const int descriptor = board.get();
  ASSERT_TRUE(send_message(pair.left.get(), message, {&descriptor, 1}).is_ok());
  const Result<Received> received = receive_message(pair.right.get());
  ASSERT_TRUE(received.is_ok()) << received.status().text();
  EXPECT_EQ(received.value().message.endpoint_id, 7u);
  EXPECT_EQ(received.value().message.arena_bytes_max, 1ull << 40);
  EXPECT_EQ(text_of(received.value().message.text), "a text");
  ASSERT_EQ(received.value().descriptors.size(), 1u);
  const int arrived = received.value().descriptors[0].get();
  EXPECT_TRUE(is_same_file(arrived, board.get()));
  EXPECT_NE(fcntl(arrived, F_GETFD) & FD_CLOEXEC, 0);
}

TEST(ControlSocketTest, SaysWhyNothingArrives) {
  Pair pair;
  EXPECT_EQ(receive_message(pair.right.get()).status().code(), TBK_WOULD_BLOCK);
  EXPECT_EQ(receive_message_until(pair.right.get(), now_ns()).status().code(), TBK_TIMEOUT);
  pair.left.reset();
  EXPECT_EQ(receive_message(pair.right.get()).status().code(), TBK_CLOSED);
  EXPECT_EQ(send_message(pair.right.get(), ControlMessage(MessageKind::kDetach), {}).code(),
            TBK_CLOSED);
}

TEST(ControlSocketTest, AFarewellSurvivesAReset) {
  Pair pair;
  ASSERT_TRUE(send_message(pair.right.get(), ControlMessage(MessageKind::kHello), {}).is_ok());
  ASSERT_TRUE(send_message(pair.left.get(), ControlMessage(MessageKind::kRefused), {}).is_ok());
  pair.left.reset();  // with the hello unread
  const Result<Received> received = receive_message(pair.right.get());
  ASSERT_TRUE(received.is_ok()) << received.status().text();
  EXPECT_EQ(received.value().message.kind, MessageKind::kRefused);
  EXPECT_EQ(receive_message(pair.right.get()).status().code(), TBK_CLOSED);
}

TEST(ControlSocketTest, AFullSocketDoesNotBlock) {
  const Pair pair;
  const ControlMessage message(MessageKind::kDetach);
  Status status;
  while (status.is_ok()) status = send_message(pair.left.get(), message, {});
  EXPECT_EQ(status.code(), TBK_WOULD_BLOCK);
  EXPECT_EQ(send_message_until(pair.left.get(), message, {}, now_ns()).code(), TBK_TIMEOUT);
}

TEST(ControlSocketTest, TextIsCutAndEnds) {
  ControlMessage message(MessageKind::kShutdown);
  set_text(message.language, "a language with too long a name");
  EXPECT_EQ(text_of(message.language), "a language with");
  std::fill(std::begin(message.language), std::end(message.language), 'x');
  EXPECT_EQ(text_of(message.language), std::string(16, 'x'));
}

TEST(ControlSocketTest, EveryKindHasItsNumberOfDescriptors) {
  const Pair pair;
  for (uint32_t number = 0; number < 64; ++number) {
    const auto kind = static_cast<MessageKind>(number);
    const int wanted = descriptors_of(kind);
    for (int count = 0; count <= 5; ++count) {
      const std::array<int, 5> descriptors{0, 0, 0, 0, 0};
      const auto given = std::span(descriptors).first(static_cast<size_t>(count));
      ASSERT_TRUE(send_message(pair.left.get(), ControlMessage(kind), given).is_ok());
      const tbk_status_t code = receive_message(pair.right.get()).status().code();
      EXPECT_EQ(code, count == wanted ? TBK_OK : TBK_PROTOCOL) << number << " with " << count;
    }
  }
}

TEST(ControlSocketTest, ReachesLongPathsThroughTheirFolder) {
  const TestFolder folder;
  const std::string deep =
      folder.path() + "/" + std::string(120, 'd') + "/" + std::string(120, 'e');
  std::filesystem::create_directories(deep);
  const std::string path = deep + "/node.sock";
  const Result<UniqueFd> listener = listen_at(path);
  ASSERT_TRUE(listener.is_ok()) << listener.status().text();
  EXPECT_TRUE(std::filesystem::is_socket(path));
  EXPECT_TRUE(connect_to(path, soon()).is_ok());

  const std::string too_long = deep + "/" + std::string(110, 'n');
  EXPECT_EQ(listen_at(too_long).status().code(), TBK_INVALID);
  EXPECT_NE(listen_at(too_long).status().text().find("107"), std::string::npos)
      << listen_at(too_long).status().text();
  EXPECT_EQ(listen_at("").status().code(), TBK_INVALID);
}

TEST(ControlSocketTest, ReplacesOnlyAnAbandonedFile) {
  const TestFolder folder;
  const std::string path = folder.path() + "/s";
  Result<UniqueFd> first = listen_at(path);
  ASSERT_TRUE(first.is_ok());
  EXPECT_EQ(listen_at(path).status().code(), TBK_IO);
  first.value().reset();
  EXPECT_EQ(connect_to(path, soon()).status().code(), TBK_NOT_FOUND);
  EXPECT_TRUE(listen_at(path).is_ok());
}

}  // namespace
}  // namespace thornback::node
