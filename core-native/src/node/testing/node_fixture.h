// A node for tests: a private folder, a hub, and its agent.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "node/endpoint_id.h"
#include "node/hub.h"
#include "node/testing/raw_endpoint.h"
#include "node/testing/test_endpoint.h"

namespace thornback::node::testing {

inline constexpr uint64_t kTestStoreBytes = 1 << 20;

// Removed with the object.
class TestFolder {
 public:
  TestFolder() {
    char name[] = "/tmp/thornback-node-test-XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }
  bool is_empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

inline size_t count_entries(const char* folder) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    count += entry.path().empty() ? 0 : 1;
  return count;
}
inline size_t descriptor_count() {
  return count_entries("/proc/self/fd");
}
inline size_t thread_count() {
  return count_entries("/proc/self/task");
}

// For states that nobody announces: looks again and again, gives the CPU away in between.
template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kWatchdog;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

inline bool is_same_file(int one, int other) {
  struct stat first {};
  struct stat second {};
  return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_ino == second.st_ino &&
         first.st_dev == second.st_dev;
}

class NodeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<Hub>> started =
        Hub::start({socket_path(), kTestStoreBytes, kTestStoreBytes});
    ASSERT_TRUE(started.is_ok()) << started.status().text();
    hub = started.take();
    agent = std::make_unique<TestEndpoint>(socket_path(), TBK_ROLE_AGENT);
    ASSERT_TRUE(agent->status.is_ok()) << agent->status.text();
  }
  // Every test ends a node and leaves nothing behind.
  void TearDown() override {
    agent.reset();
    hub.reset();
    EXPECT_TRUE(folder.is_empty());
  }

  std::string socket_path() const { return folder.path() + "/node.sock"; }
  std::unique_ptr<TestEndpoint> attach(const std::string& token = "") const {
    auto endpoint = std::make_unique<TestEndpoint>(socket_path(), TBK_ROLE_WORKER, token);
    EXPECT_TRUE(endpoint->status.is_ok()) << endpoint->status.text();
    return endpoint;
  }

  TestFolder folder;
  std::unique_ptr<Hub> hub;
  std::unique_ptr<TestEndpoint> agent;
};

}  // namespace thornback::node::testing
