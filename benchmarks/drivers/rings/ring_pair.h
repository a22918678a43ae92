// Two rings in one memory file, and nothing else: no doorbell, no wake word, no endpoints. What two languages can
// exchange through it is the bare limit that the engine is compared with.
#pragma once

#include <sched.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <new>

#include "shm/ring.h"
#include "shm/spin.h"

namespace thornback::bench {

inline constexpr uint64_t kRingBytes = 1 << 20;
inline constexpr uint32_t kLastCall = 0xffffffff;

struct Record {
  uint32_t id;
  uint32_t reserved;
  int64_t value;
  int64_t filler;  // a call of the engine carries at least its function and target
};

struct RingPair {
  alignas(4096) shm::RingHeader headers[2];
  alignas(4096) std::byte data[2][kRingBytes];

  static RingPair* map(int file) {
    void* memory = mmap(nullptr, sizeof(RingPair), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<RingPair*>(memory);
  }
};

inline void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

// One end: 0 calls, 1 answers.
class RingEnd {
 public:
  RingEnd(RingPair& pair, uint32_t index)
      : producer_(&pair.headers[index], pair.data[index], kRingBytes),
        consumer_(&pair.headers[1 - index], pair.data[1 - index], kRingBytes) {}

  bool put(uint32_t id, int64_t value) {
    std::byte* body = producer_.claim(sizeof(Record), 1, 0);
    if (body == nullptr) return false;
    const Record record{id, 0, value, 0};
    std::memcpy(body, &record, sizeof record);
    return true;
  }
  void publish() { producer_.publish(); }

  bool next(Record& out) {
    shm::RingFrame frame;
    if (consumer_.next(frame) != shm::RingRead::kFrame) return false;
    std::memcpy(&out, frame.data, sizeof out);
    return true;
  }
  void release() { consumer_.release(); }
  void wait() {
    while (!consumer_.has_frame()) shm::relax_cpu();
  }

 private:
  shm::RingProducer<> producer_;
  shm::RingConsumer<> consumer_;
};

}  // namespace thornback::bench
