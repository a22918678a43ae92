// An attached endpoint for tests: a real record, a small arena, and a recording sink.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>

#include "node/member.h"
#include "node/testing/recording_sink.h"
#include "shm/endpoint_record.h"
#include "shm/memory_file.h"

namespace thornback::node::testing {

inline constexpr uint64_t kTestArenaBytes = 4096;
inline constexpr uint64_t kTestChannelBytes = 4096;

// What an endpoint has to bring to be published.
struct TestRecord {
  UniqueFd record_fd, arena_fd;
  shm::Mapping mapping;
  shm::EndpointRecord* record = nullptr;

  explicit TestRecord(uint32_t id) {
    record_fd = shm::create_memory_file("test-record", shm::kEndpointRecordBytes).take();
    arena_fd = shm::create_memory_file("test-arena", kTestArenaBytes).take();
    mapping =
        shm::Mapping::map(record_fd.get(), 0, shm::kEndpointRecordBytes, shm::Access::kReadWrite)
            .take();
    record = shm::EndpointRecord::create(mapping.data(), id, getpid());
  }
};

// Detaches when it is destroyed.
class TestEndpoint {
 public:
  // The three steps of attaching; `status` is that of the first one that failed.
  TestEndpoint(const std::string& socket_path, uint32_t role, const std::string& token = "") {
    Result<std::unique_ptr<Member>> joined = Member::join({socket_path, role, "test", token});
    status = joined.status();
    if (!joined.is_ok()) return;
    member = joined.take();
    record = std::make_unique<TestRecord>(member->endpoint_id());
    status = member->publish(*record->record, record->record_fd.get(), record->arena_fd.get());
    if (status.is_ok()) status = member->start(sink);
  }

  uint32_t id() const { return member->endpoint_id(); }

  Status status;
  RecordingSink sink;
  std::unique_ptr<TestRecord> record;
  std::unique_ptr<Member> member;  // destroyed first
};

inline UniqueFd make_channel() {
  return shm::create_memory_file("test-channel", kTestChannelBytes).take();
}

}  // namespace thornback::node::testing
