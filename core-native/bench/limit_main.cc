// thornback_limit: what the bare parts can do on this machine at this moment. Every benchmark run
// takes these figures, because virtual machines move their CPUs nearer together and farther apart.
//
//   thornback_limit [--case NAME]... [--repetitions N]      prints a JSON array of rows
#include <linux/futex.h>
#include <sys/syscall.h>

#include <cstdio>
#include <functional>

#include "bench/measure.h"
#include "bench/pair.h"

using namespace thornback;
using namespace thornback::bench;

namespace {

struct alignas(128) Word {
  std::atomic<uint32_t> value;
};
struct Words {
  Word there;
  Word back;
};

double microseconds_since(uint64_t start_ns) {
  return static_cast<double>(now_ns() - start_ns) / 1e3;
}

// Round trips of a number through two words; `wait(word, old)` returns when the word is not `old`.
template <class Wait, class Set>
void word_ping_pong(Row& row, int cpu_a, int cpu_b, uint32_t count, Wait wait, Set set) {
  auto* words = share_zeroed<Words>();
  std::vector<double> samples;
  samples.reserve(count);
  run_pair(
      cpu_a, cpu_b,
      [&] {
        for (uint32_t number = 1; number <= count + count / 10; ++number) {
          const uint64_t start_ns = now_ns();
          set(words->there.value, number);
          wait(words->back.value, number - 1);
          if (number > count / 10) samples.push_back(microseconds_since(start_ns));
        }
      },
      [&] {
        for (uint32_t number = 1;; ++number) {
          wait(words->there.value, number - 1);
          set(words->back.value, number);
        }
      });
  add_latencies(row, samples);
  munmap(words, sizeof *words);
}

void spin_rtt(Row& row) {
  word_ping_pong(
      row, 0, 1, 100'000,
      [](std::atomic<uint32_t>& word, uint32_t old) {
        while (word.load(std::memory_order_acquire) == old) shm::relax_cpu();
      },
      [](std::atomic<uint32_t>& word, uint32_t value) {
        word.store(value, std::memory_order_release);
      });
}

void futex_rtt(Row& row, int cpu_a, int cpu_b) {
  word_ping_pong(
      row, cpu_a, cpu_b, 5'000,
      [](std::atomic<uint32_t>& word, uint32_t old) {
        while (word.load(std::memory_order_acquire) == old)
          syscall(SYS_futex, &word, FUTEX_WAIT, old, nullptr, nullptr, 0);
      },
      [](std::atomic<uint32_t>& word, uint32_t value) {
        word.store(value, std::memory_order_release);
        syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
      });
}

// Echoes frames of 64 bytes for ever, by looking at the rings only: no doorbell, no sleep.
[[noreturn]] void echo_forever(PairMemory& memory) {
  Side side(memory, 1, 0);
  for (;;) {
    uint64_t number = 0;
    while (side.next(number)) {
      while (!side.put(number)) side.producer().publish();
    }
    side.producer().publish();
    side.consumer().release();
    shm::relax_cpu();
  }
}

// `window` frames in flight over two rings. Every answer is checked.
void ring_echo(Row& row, uint64_t window, uint64_t count) {
  PairMemory* memory = Side::make_memory();
  std::vector<double> samples;
  double rate = 0;
  run_pair(
      0, 1,
      [&] {
        Side side(*memory, 0, 0);
        uint64_t sent = 0;
        uint64_t received = 0;
        const uint64_t start_ns = now_ns();
        uint64_t sample_start_ns = start_ns;
        while (received < count) {
          while (sent < count && sent - received < window && side.put(sent)) ++sent;
          side.producer().publish();
          uint64_t number = 0;
          const uint64_t before = received;
          while (side.next(number)) TBK_CHECK(number == received++);
          side.consumer().release();
          if (received == before) {
            shm::relax_cpu();
          } else if (window == 1) {
            samples.push_back(microseconds_since(sample_start_ns));
            sample_start_ns = now_ns();
          }
        }
        rate = static_cast<double>(count) / microseconds_since(start_ns);
      },
      [&] { echo_forever(*memory); });
  munmap(memory, sizeof *memory);
  if (window == 1) {
    add_latencies(row, samples);
  } else {
    row.values.push_back(rate);
  }
}

void memcpy_100mb(Row& row, bool warm) {
  constexpr size_t kBytes = 100'000'000;
  constexpr size_t kMapped = (kBytes + 4095) / 4096 * 4096;
  std::vector<char> source(kBytes, 'x');
  void* memory = mmap(nullptr, kMapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  TBK_CHECK(memory != MAP_FAILED);
  if (warm) std::memset(memory, 1, kMapped);
  const uint64_t start_ns = now_ns();
  std::memcpy(memory, source.data(), kBytes);
  row.values.push_back(static_cast<double>(kBytes) / 1e3 / microseconds_since(start_ns));
  munmap(memory, kMapped);
}

struct Case {
  const char* name;
  const char* unit;
  int cpus;
  std::function<void(Row&)> run;
};

const Case kCases[] = {
    {"spin-rtt", "us", 2, spin_rtt},
    {"futex-rtt-cross", "us", 2, [](Row& row) { futex_rtt(row, 0, 1); }},
    {"futex-rtt-same", "us", 1, [](Row& row) { futex_rtt(row, 0, 0); }},
    {"ring-echo-1", "us", 2, [](Row& row) { ring_echo(row, 1, 100'000); }},
    {"ring-echo-1000", "M/s", 2, [](Row& row) { ring_echo(row, 1000, 5'000'000); }},
    {"memcpy-warm-100mb", "GB/s", 1, [](Row& row) { memcpy_100mb(row, true); }},
    {"memcpy-fresh-100mb", "GB/s", 1, [](Row& row) { memcpy_100mb(row, false); }},
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> wanted;
  long repetitions = 5;
  for (int index = 1; index < argc; index += 2) {
    const std::string option = argv[index];
    const std::string value = index + 1 < argc ? argv[index + 1] : "";
    if (option == "--case" && !value.empty()) {
      wanted.push_back(value);
    } else if (option == "--repetitions" && std::strtol(value.c_str(), nullptr, 10) > 0) {
      repetitions = std::strtol(value.c_str(), nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: thornback_limit [--case NAME]... [--repetitions N]\ncases:");
      for (const Case& each : kCases) std::fprintf(stderr, " %s", each.name);
      std::fprintf(stderr, "\n");
      return 2;
    }
  }
  std::vector<Row> rows;
  std::vector<const Case*> cases;
  for (const Case& each : kCases) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), each.name) == wanted.end())
      continue;
    if (each.cpus > cpus_allowed()) continue;
    rows.push_back({each.name, each.unit, {}});
    cases.push_back(&each);
  }
  if (cases.size() < wanted.size()) {
    std::fprintf(stderr, "thornback_limit: no such case, or it needs two CPUs\n");
    return 2;
  }
  // Round-robin, so that a change of the machine during the run shows as spread in every row.
  for (long repetition = 0; repetition < repetitions; ++repetition) {
    for (size_t index = 0; index < cases.size(); ++index) cases[index]->run(rows[index]);
  }
  print_json(rows, "limit");
  return 0;
}
