// Two processes with a channel's worth of shared memory between them: the stage of the benchmarks.
#pragma once

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "shm/ring.h"
#include "shm/spin.h"
#include "shm/waking.h"

namespace thornback::bench {

inline constexpr uint64_t kRingCapacity = 256 * 1024;
inline constexpr int kAnyCpu = -1;

// How many CPUs this process may use. Cases that need two are left out where there is one.
inline int cpus_allowed() {
  cpu_set_t allowed;
  TBK_CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  return CPU_COUNT(&allowed);
}

// Pins to the `index`-th of the CPUs this process may use.
inline void pin_to(int index) {
  if (index == kAnyCpu) return;
  cpu_set_t allowed;
  TBK_CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  size_t cpu = 0;
  for (int left = index; !CPU_ISSET(cpu, &allowed) || left-- > 0; ++cpu)
    TBK_CHECK(cpu < CPU_SETSIZE);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  TBK_CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
}

template <class T>
T* share_zeroed(size_t bytes = sizeof(T)) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  TBK_CHECK(memory != MAP_FAILED);
  return static_cast<T*>(memory);
}

struct PairMemory {
  alignas(4096) std::byte records[2][shm::kEndpointRecordBytes];
  alignas(4096) std::byte board[shm::kNodeBoardBytes];
  alignas(4096) shm::RingHeader headers[2];
  alignas(4096) std::byte data[2][kRingCapacity];
};

// One end of the channel: endpoint 0 or 1, in the process it is used in.
class Side {
 public:
  Side(PairMemory& memory, uint32_t index, int64_t spin_ns)
      : index_(index),
        own_(*shm::EndpointRecord::open(memory.records[index])),
        peer_(*shm::EndpointRecord::open(memory.records[1 - index])),
        board_(*shm::NodeBoard::open(memory.board)),
        sleeper_(own_, board_, index),
        spinner_(own_, board_, spin_ns),
        producer_(&memory.headers[index], memory.data[index], kRingCapacity),
        consumer_(&memory.headers[1 - index], memory.data[1 - index], kRingCapacity) {
    sleeper_.awake();
  }

  static PairMemory* make_memory() {
    auto* memory = share_zeroed<PairMemory>();
    for (uint32_t index = 0; index < 2; ++index) {
      shm::EndpointRecord::create(memory->records[index], index, 0);
      new (&memory->headers[index]) shm::RingHeader;
    }
    shm::NodeBoard::create(memory->board, static_cast<uint32_t>(sysconf(_SC_NPROCESSORS_ONLN)), 0);
    shm::NodeBoard::open(memory->board)->high_water = 2;
    return memory;
  }

  // Claims and fills a frame; false if the ring is full.
  bool put(uint64_t number, uint32_t size = 64) {
    std::byte* body = producer_.claim(size, 1, 0);
    if (body == nullptr) return false;
    std::memcpy(body, &number, sizeof number);
    return true;
  }
  // Publishes what was put and wakes the peer.
  void flush() {
    if (producer_.publish()) wakes_ += shm::ring_and_wake({&peer_, -1, -1}, index_) ? 1 : 0;
  }
  bool next(uint64_t& number) {
    shm::RingFrame frame;
    if (consumer_.next(frame) != shm::RingRead::kFrame) return false;
    std::memcpy(&number, frame.data, sizeof number);
    return true;
  }
  // Gives read frames back and tells a producer that waits for room.
  void release() {
    if (consumer_.release()) shm::ring_and_wake({&peer_, -1, -1}, index_);
  }
  // Blocks until the doorbell has been rung and takes its bits.
  void wait() {
    auto& doorbell = own_.wake.doorbell;
    while (!spinner_.spin([&] { return doorbell.any(); }, &peer_)) {
      if (sleeper_.prepare(shm::WakeState::kParkedFutex)) sleeper_.sleep_on_futex(-1);
    }
    doorbell.take([](uint32_t) {});
  }
  bool wait_for_room() { return producer_.wait_for_room(64); }

  shm::RingProducer<>& producer() { return producer_; }
  shm::RingConsumer<>& consumer() { return consumer_; }
  uint64_t wakes() const { return wakes_; }

 private:
  uint32_t index_;
  shm::EndpointRecord& own_;
  shm::EndpointRecord& peer_;
  shm::NodeBoard& board_;
  shm::Sleeper sleeper_;
  shm::Spinner spinner_;
  shm::RingProducer<> producer_;
  shm::RingConsumer<> consumer_;
  uint64_t wakes_ = 0;
};

// Runs `other` in a child process on `other_cpu` while `self` runs here on `self_cpu`; the child is
// killed and the pinning undone when `self` has returned.
template <class Self, class Other>
void run_pair(int self_cpu, int other_cpu, Self self, Other other) {
  const pid_t other_pid = fork();
  TBK_CHECK(other_pid >= 0);
  if (other_pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin_to(other_cpu);
    other();
    _exit(0);
  }
  cpu_set_t before;
  sched_getaffinity(0, sizeof before, &before);
  pin_to(self_cpu);
  self();
  sched_setaffinity(0, sizeof before, &before);
  kill(other_pid, SIGKILL);
  waitpid(other_pid, nullptr, 0);
}

}  // namespace thornback::bench
