// An endpoint without a Member and without a keeper: tests speak for it, correctly or not.
#pragma once

#include <sys/eventfd.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "node/control_socket.h"
#include "node/testing/test_endpoint.h"

namespace thornback::node::testing {

// How far it goes on its own.
enum class RawStep { kConnected, kHelloSent, kWelcomed, kPublishSent, kPublished };

struct RawEndpoint {
  UniqueFd socket, bell;
  uint32_t id = 0;
  std::unique_ptr<TestRecord> record;

  explicit RawEndpoint(const std::string& socket_path, RawStep until = RawStep::kPublished) {
    const uint64_t deadline = now_ns() + 60'000'000'000;
    socket = connect_to(socket_path, deadline).take();
    if (until == RawStep::kConnected) return;
    ControlMessage hello(MessageKind::kHello);
    hello.role = TBK_ROLE_WORKER;
    EXPECT_TRUE(send_message(socket.get(), hello, {}).is_ok());
    if (until == RawStep::kHelloSent) return;
    id = receive_message_until(socket.get(), deadline).value().message.endpoint_id;
    if (until == RawStep::kWelcomed) return;
    record = std::make_unique<TestRecord>(id);
    bell.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const int descriptors[] = {record->record_fd.get(), record->arena_fd.get(), bell.get(),
                               bell.get()};
    EXPECT_TRUE(
        send_message(socket.get(), ControlMessage(MessageKind::kPublish), descriptors).is_ok());
    if (until == RawStep::kPublishSent) return;
    EXPECT_EQ(receive_message_until(socket.get(), deadline).value().message.kind,
              MessageKind::kPublished);
  }
};

}  // namespace thornback::node::testing
