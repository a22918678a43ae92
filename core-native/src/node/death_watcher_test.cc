#include "node/death_watcher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <latch>
#include <set>
#include <thread>

#include "node/liveness.h"

namespace thornback::node {
namespace {

// A thread that holds a liveness word until it is told to go, with or without giving the word back.
class Owner {
 public:
  Owner() : thread_([this] { run(); }) { armed_.wait(); }
  ~Owner() { end(true); }
  void end(bool cleanly) {
    if (!thread_.joinable()) return;
    is_clean_ = cleanly;
    may_end_.count_down();
    thread_.join();
  }
  shm::LivenessWord word{};
  uint32_t armed_value = 0;

 private:
  void run() {
    armed_value = liveness_.arm(word).take();
    armed_.count_down();
    may_end_.wait();
    if (is_clean_) liveness_.disarm();
  }
  Liveness liveness_;
  std::latch armed_{1};
  std::latch may_end_{1};
  bool is_clean_ = false;
  std::thread thread_;
};

class Reports {
 public:
  DeathWatcher::Report receiver() {
    return [this](uint64_t tag) {
      const std::lock_guard lock(mutex_);
      tags_.push_back(tag);
      changed_.notify_all();
    };
  }
  std::vector<uint64_t> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(60), [&] { return tags_.size() >= count; }));
    return tags_;
  }
  size_t count() {
    const std::lock_guard lock(mutex_);
    return tags_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<uint64_t> tags_;
};

TEST(DeathWatcherTest, ReportsAThreadThatEndsWithItsWord) {
  Reports reports;
  DeathWatcher watcher(reports.receiver());
  Owner owner;
  watcher.add(7, &owner.word.futex, owner.armed_value);
  owner.end(false);
  EXPECT_EQ(reports.wait_for(1), std::vector<uint64_t>{7});
  watcher.remove(7);
}

TEST(DeathWatcherTest, ReportsADeathFromBeforeTheWatching) {
  Reports reports;
  DeathWatcher watcher(reports.receiver());
  Owner owner;
  owner.end(false);
  watcher.add(8, &owner.word.futex, owner.armed_value);
  EXPECT_EQ(reports.wait_for(1), std::vector<uint64_t>{8});
}

// What is given back, removed, or overwritten with nonsense is no death.
TEST(DeathWatcherTest, KeepsQuietAboutEverythingElse) {
  Reports reports;
  DeathWatcher watcher(reports.receiver());
  Owner clean, removed, overwritten, last;
  watcher.add(1, &clean.word.futex, clean.armed_value);
  watcher.add(2, &removed.word.futex, removed.armed_value);
  watcher.add(3, &overwritten.word.futex, overwritten.armed_value);
  watcher.add(4, &last.word.futex, last.armed_value);
  clean.end(true);
  watcher.remove(2);
  removed.end(false);
  __atomic_store_n(&overwritten.word.futex, 12345, __ATOMIC_SEQ_CST);
  overwritten.end(false);
  last.end(false);
  EXPECT_EQ(reports.wait_for(1), std::vector<uint64_t>{4});
}

TEST(DeathWatcherTest, WatchesMoreThanOneGroupHolds) {
  Reports reports;
  DeathWatcher watcher(reports.receiver());
  std::vector<std::unique_ptr<Owner>> owners;
  std::set<uint64_t> expected;
  for (uint64_t tag = 0; tag < 300; ++tag) {
    owners.push_back(std::make_unique<Owner>());
    watcher.add(tag, &owners.back()->word.futex, owners.back()->armed_value);
  }
  EXPECT_EQ(watcher.group_count(), 3u);
  for (uint64_t tag = 0; tag < 300; tag += 7) {
    expected.insert(tag);
    owners[tag]->end(false);
  }
  const std::vector<uint64_t> tags = reports.wait_for(expected.size());
  EXPECT_EQ(std::set<uint64_t>(tags.begin(), tags.end()), expected);
  EXPECT_EQ(tags.size(), expected.size());
  // Places that became free are used again.
  Owner late;
  watcher.add(1000, &late.word.futex, late.armed_value);
  EXPECT_EQ(watcher.group_count(), 3u);
  late.end(false);
  EXPECT_EQ(reports.wait_for(expected.size() + 1).back(), 1000u);
  for (uint64_t tag = 0; tag < 300; ++tag) watcher.remove(tag);
}

}  // namespace
}  // namespace thornback::node
