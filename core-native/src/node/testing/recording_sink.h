// A notice sink for tests: writes down what it is told and lets threads wait for it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "node/notice_sink.h"

namespace thornback::node::testing {

// Far beyond what any wait takes; sanitizers and a busy machine included.
inline constexpr std::chrono::seconds kWatchdog{60};

class RecordingSink : public NoticeSink {
 public:
  void on_connected(ConnectionFds connection) override {
    const std::lock_guard lock(mutex_);
    connections_.push_back(std::move(connection));
    changed_.notify_all();
  }
  void on_peer_dead(uint32_t endpoint_id, std::string cause) override {
    const std::lock_guard lock(mutex_);
    deaths_[endpoint_id].push_back({std::move(cause), now_ns()});
    changed_.notify_all();
  }
  void on_peer_joined(PeerInfo info) override {
    const std::lock_guard lock(mutex_);
    joined_.push_back(std::move(info));
    changed_.notify_all();
  }
  void on_node_gone(std::string cause) override {
    const std::lock_guard lock(mutex_);
    node_gone_ = std::move(cause);
    changed_.notify_all();
  }
  void on_keeper_wake() override {
    std::function<void()> hook;
    {
      const std::lock_guard lock(mutex_);
      ++wakes_;
      hook = wake_hook_;
      changed_.notify_all();
    }
    if (hook) hook();
  }

  void on_alarm() override {
    const std::lock_guard lock(mutex_);
    alarm_times_ns_.push_back(now_ns());
    changed_.notify_all();
  }

  struct Death {
    std::string cause;
    uint64_t time_ns;
  };
  // The cause of a peer's death, once it is announced; "" if the watchdog is faster.
  std::string wait_for_death(uint32_t endpoint_id) {
    return wait_for_death_notice(endpoint_id).cause;
  }
  Death wait_for_death_notice(uint32_t endpoint_id) {
    std::unique_lock lock(mutex_);
    const bool is_there = wait(lock, [&] { return deaths_.contains(endpoint_id); });
    EXPECT_TRUE(is_there) << "no notice of the death of endpoint " << endpoint_id;
    return is_there ? deaths_[endpoint_id].front() : Death{};
  }
  ConnectionFds wait_for_connection() {
    std::unique_lock lock(mutex_);
    const bool is_there = wait(lock, [&] { return !connections_.empty(); });
    EXPECT_TRUE(is_there) << "nobody connected";
    if (!is_there) return {};
    ConnectionFds connection = std::move(connections_.front());
    connections_.erase(connections_.begin());
    return connection;
  }
  PeerInfo wait_for_joined(uint32_t endpoint_id) {
    std::unique_lock lock(mutex_);
    std::optional<PeerInfo> found;
    wait(lock, [&] {
      for (const PeerInfo& info : joined_) {
        if (info.endpoint_id == endpoint_id) found = info;
      }
      return found.has_value();
    });
    EXPECT_TRUE(found.has_value()) << "endpoint " << endpoint_id << " did not join";
    return found.value_or(PeerInfo{});
  }
  std::string wait_for_node_gone() {
    std::unique_lock lock(mutex_);
    const bool is_there = wait(lock, [&] { return node_gone_.has_value(); });
    EXPECT_TRUE(is_there) << "the node lives on";
    return node_gone_.value_or("");
  }
  void wait_for_wakes(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(wait(lock, [&] { return wakes_ >= count; })) << wakes_ << " wakes of " << count;
  }
  uint64_t wait_for_alarm() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(wait(lock, [&] { return !alarm_times_ns_.empty(); })) << "no alarm";
    return alarm_times_ns_.empty() ? 0 : alarm_times_ns_.front();
  }

  // Says of every peer that died so far that nothing of its arena is mapped.
  template <typename Member>
  void answer_deaths(Member& member) {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, death] : deaths_) member.arena_unmapped(id);
    deaths_.clear();
  }
  size_t alarm_count() {
    const std::lock_guard lock(mutex_);
    return alarm_times_ns_.size();
  }
  size_t death_count(uint32_t endpoint_id) {
    const std::lock_guard lock(mutex_);
    return deaths_.contains(endpoint_id) ? deaths_[endpoint_id].size() : 0;
  }
  size_t joined_count() {
    const std::lock_guard lock(mutex_);
    return joined_.size();
  }
  // Runs on the keeper thread at every wake.
  void set_wake_hook(std::function<void()> hook) {
    const std::lock_guard lock(mutex_);
    wake_hook_ = std::move(hook);
  }

 private:
  template <typename Condition>
  bool wait(std::unique_lock<std::mutex>& lock, Condition condition) {
    return changed_.wait_for(lock, kWatchdog, condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ConnectionFds> connections_;
  std::map<uint32_t, std::vector<Death>> deaths_;
  std::vector<PeerInfo> joined_;
  std::optional<std::string> node_gone_;
  std::function<void()> wake_hook_;
  std::vector<uint64_t> alarm_times_ns_;
  int wakes_ = 0;
};

}  // namespace thornback::node::testing
