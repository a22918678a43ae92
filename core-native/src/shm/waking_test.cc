#include "shm/waking.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "shm/memory_file.h"

namespace thornback::shm {
namespace {

constexpr uint32_t kOwner = 0;
constexpr uint32_t kSender = 130;
constexpr int64_t kWatchdogNs = 10'000'000'000;

struct Waking : ::testing::Test {
  Mapping record_memory = map(kEndpointRecordBytes);
  Mapping board_memory = map(kNodeBoardBytes);
  EndpointRecord& record = *EndpointRecord::create(record_memory.data(), 42, getpid());
  NodeBoard& board = *NodeBoard::create(board_memory.data(), 2, 1 << 20);
  Sleeper sleeper{record, board, kOwner};
  UniqueFd poll_fd{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  UniqueFd keeper_fd{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  WakeTargets targets{&record, poll_fd.get(), keeper_fd.get()};

  static Mapping map(uint64_t size) {
    auto file = create_memory_file("waking_test", size);
    return Mapping::map(file.value().get(), 0, size, Access::kReadWrite).take();
  }
  WakeState state() const { return static_cast<WakeState>(record.wake.word.value.load()); }
  std::vector<uint32_t> take() {
    std::vector<uint32_t> taken;
    record.wake.doorbell.take([&](uint32_t index) { taken.push_back(index); });
    return taken;
  }
  static uint64_t count_of(const UniqueFd& fd) {
    uint64_t count = 0;
    return read(fd.get(), &count, sizeof count) == sizeof count ? count : 0;
  }
};

TEST_F(Waking, TheDoorbellNamesEachSenderOnce) {
  EXPECT_FALSE(record.wake.doorbell.any());
  for (const uint32_t index : {0U, 63U, 64U, 4095U, 64U}) record.wake.doorbell.ring(index);
  EXPECT_TRUE(record.wake.doorbell.any());
  EXPECT_EQ(take(), (std::vector<uint32_t>{0, 63, 64, 4095}));
  EXPECT_FALSE(record.wake.doorbell.any());
  EXPECT_TRUE(take().empty());
  EXPECT_TRUE(record.wake.doorbell.ring(64));
  EXPECT_FALSE(record.wake.doorbell.ring(64));
}

TEST_F(Waking, WhoIsAwakeIsRungWithoutASystemCall) {
  sleeper.awake();
  EXPECT_FALSE(ring_and_wake(targets, kSender));
  EXPECT_EQ(take(), std::vector<uint32_t>{kSender});
  EXPECT_EQ(count_of(poll_fd), 0U);
  EXPECT_EQ(count_of(keeper_fd), 0U);
}

TEST_F(Waking, ASleeperInPollGetsItsDescriptorOnce) {
  EXPECT_TRUE(sleeper.prepare(WakeState::kParkedPoll));
  EXPECT_TRUE(ring_and_wake(targets, kSender));
  EXPECT_FALSE(ring_and_wake(targets, kSender + 1));
  EXPECT_EQ(count_of(poll_fd), 1U);
  EXPECT_EQ(count_of(keeper_fd), 0U);
  EXPECT_EQ(state(), WakeState::kAwake);
}

TEST_F(Waking, WhoIsAwayHasItsKeeperTold) {
  EXPECT_TRUE(sleeper.prepare(WakeState::kAway));
  EXPECT_TRUE(ring_and_wake(targets, kSender));
  EXPECT_EQ(count_of(poll_fd), 0U);
  EXPECT_EQ(count_of(keeper_fd), 1U);
}

TEST_F(Waking, NobodySleepsOverWork) {
  ring_and_wake(targets, kSender);
  for (const auto kind : {WakeState::kParkedFutex, WakeState::kParkedPoll, WakeState::kAway}) {
    EXPECT_FALSE(sleeper.prepare(kind));
    EXPECT_EQ(state(), WakeState::kAwake);
  }
}

TEST_F(Waking, AWordThatNoEndpointWritesWakesInEveryWay) {
  record.wake.word.value = 77;
  EXPECT_TRUE(ring_and_wake(targets, kSender));
  EXPECT_EQ(count_of(poll_fd), 1U);
  EXPECT_EQ(count_of(keeper_fd), 1U);
  EXPECT_EQ(state(), WakeState::kAwake);
}

TEST_F(Waking, ADeathWakesWhateverTheWordSays) {
  EXPECT_TRUE(sleeper.prepare(WakeState::kParkedPoll));
  record.wake.word.take_duty();  // the dead sender came as far as this
  ring_for_the_dead(targets, kSender);
  EXPECT_EQ(count_of(poll_fd), 1U);
  EXPECT_EQ(take(), std::vector<uint32_t>{kSender});
}

TEST_F(Waking, SleepEndsWithItsTimeAndShowsMeanwhile) {
  sleeper.awake();
  EXPECT_GE(record.cpu.load(), 0);
  EXPECT_EQ(board.activity[kOwner].load(), 1);
  sleeper.asleep();
  EXPECT_EQ(record.cpu.load(), -1);
  EXPECT_EQ(board.activity[kOwner].load(), 0);
  ASSERT_TRUE(sleeper.prepare(WakeState::kParkedFutex));
  EXPECT_EQ(sleeper.sleep_on_futex(1'000'000), WaitResult::kTimedOut);
  EXPECT_EQ(state(), WakeState::kAwake);
  EXPECT_GE(record.cpu.load(), 0);
  EXPECT_EQ(board.activity[kOwner].load(), 1);
  EXPECT_EQ(record.sleeps.load(), 1U);
}

TEST_F(Waking, ARingBeforeTheSystemCallIsNotLost) {
  ASSERT_TRUE(sleeper.prepare(WakeState::kParkedFutex));
  EXPECT_TRUE(ring_and_wake(targets, kSender));
  EXPECT_EQ(sleeper.sleep_on_futex(kWatchdogNs), WaitResult::kWoken);
}

TEST_F(Waking, AnotherProcessWakesTheSleeper) {
  // Mapping does not survive a fork; this does.
  void* memory = mmap(nullptr, kEndpointRecordBytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  EndpointRecord& shared = *EndpointRecord::create(memory, 1, getpid());
  Sleeper own(shared, board, kOwner);
  ASSERT_TRUE(own.prepare(WakeState::kParkedFutex));
  const pid_t child = fork();
  if (child == 0) {
    while (shared.sleeps.load() == 0) sched_yield();
    ring_and_wake({&shared, -1, -1}, kSender);
    _exit(0);
  }
  EXPECT_EQ(own.sleep_on_futex(kWatchdogNs), WaitResult::kWoken);
  EXPECT_TRUE(shared.wake.doorbell.any());
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  munmap(memory, kEndpointRecordBytes);
}

TEST_F(Waking, ASignalInterruptsTheSleep) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  ASSERT_TRUE(sleeper.prepare(WakeState::kParkedFutex));
  const pthread_t self = pthread_self();
  std::atomic<bool> is_over{false};
  std::thread sender([&] {
    while (!is_over) {  // the first signals may arrive before the sleep
      pthread_kill(self, SIGUSR1);
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(sleeper.sleep_on_futex(kWatchdogNs), WaitResult::kInterrupted);
  is_over = true;
  sender.join();
  sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(Waking, RecordsAndBoardsOfOthersAreRecognised) {
  EXPECT_EQ(EndpointRecord::open(record_memory.data()), &record);
  EXPECT_EQ(NodeBoard::open(board_memory.data()), &board);
  EXPECT_EQ(std::memcmp(record_memory.data(), "TBKREC01", 8), 0);
  EXPECT_EQ(std::memcmp(board_memory.data(), "TBKBRD01", 8), 0);
  record.version = kEndpointRecordVersion + 1;
  board.magic = 0;
  EXPECT_EQ(EndpointRecord::open(record_memory.data()), nullptr);
  EXPECT_EQ(NodeBoard::open(board_memory.data()), nullptr);
}

}  // namespace
}  // namespace thornback::shm
