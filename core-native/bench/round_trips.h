// Round trips through the whole waking path: ring, doorbell, wake word, spinning, sleeping.
#pragma once

#include <ctime>

#include "bench/measure.h"
#include "bench/pair.h"

namespace thornback::bench {

struct RoundTrips {
  const char* name;
  int cpu_a;
  int cpu_b;
  int64_t spin_ns;
  int64_t pause_ns = 0;  // the caller sleeps so long between two calls
  uint64_t window = 1;   // calls in flight
  uint64_t count = 20'000;
};

[[noreturn]] inline void answer_forever(PairMemory& memory, int64_t spin_ns) {
  Side side(memory, 1, spin_ns);
  for (;;) {
    side.wait();
    uint64_t number = 0;
    while (side.next(number)) {
      while (!side.put(number)) {
        side.flush();
        if (!side.wait_for_room()) side.wait();
      }
    }
    side.flush();
    side.release();
  }
}

// Calls with one in flight; microseconds of each.
inline std::vector<double> call_one_by_one(Side& side, const RoundTrips& trips) {
  std::vector<double> samples;
  const uint64_t warm_up = trips.count / 10;
  for (uint64_t number = 0; number < trips.count + warm_up; ++number) {
    if (trips.pause_ns > 0) {
      const timespec pause{0, static_cast<long>(trips.pause_ns)};
      nanosleep(&pause, nullptr);
    }
    const uint64_t start_ns = now_ns();
    TBK_CHECK(side.put(number));
    side.flush();
    uint64_t answer = 0;
    do {
      side.wait();
    } while (!side.next(answer));
    TBK_CHECK(answer == number);
    side.release();
    if (number >= warm_up) samples.push_back(static_cast<double>(now_ns() - start_ns) / 1e3);
  }
  return samples;
}

// Calls with `window` in flight; millions per second.
inline double call_pipelined(Side& side, const RoundTrips& trips) {
  uint64_t sent = 0;
  uint64_t received = 0;
  const uint64_t start_ns = now_ns();
  while (received < trips.count) {
    while (sent < trips.count && sent - received < trips.window && side.put(sent)) ++sent;
    side.flush();
    side.wait();
    uint64_t number = 0;
    while (side.next(number)) TBK_CHECK(number == received++);
    side.release();
  }
  return static_cast<double>(trips.count) * 1e3 / static_cast<double>(now_ns() - start_ns);
}

inline void run_round_trips(Row& row, const RoundTrips& trips) {
  PairMemory* memory = Side::make_memory();
  run_pair(
      trips.cpu_a, trips.cpu_b,
      [&] {
        Side side(*memory, 0, trips.spin_ns);
        if (trips.window == 1) {
          add_latencies(row, call_one_by_one(side, trips));
        } else {
          row.values.push_back(call_pipelined(side, trips));
        }
      },
      [&] { answer_forever(*memory, trips.spin_ns); });
  munmap(memory, sizeof *memory);
}

// Runs all cases round-robin and prints their rows.
template <size_t kCount>
void run_and_print(const RoundTrips (&cases)[kCount], int repetitions) {
  std::vector<Row> rows;
  for (const RoundTrips& each : cases)
    rows.push_back({each.name, each.window == 1 ? "us" : "M/s", {}});
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (size_t index = 0; index < kCount; ++index) {
      if (cases[index].cpu_b < cpus_allowed()) run_round_trips(rows[index], cases[index]);
    }
  }
  print_json(rows, "shm");
}

}  // namespace thornback::bench
