// Microbenchmark of the store: what one object costs, and put of 100 MB against bare memcpy on
// pages in the same state. Prints one JSON document; the ratios are what counts, the absolute
// figures depend on the machine and its mood.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "shm/memory_file.h"
#include "store/arena.h"
#include "store/arena_reader.h"

namespace {

using thornback::now_ns;
using thornback::Result;
using namespace thornback::store;

constexpr uint64_t kCapacity = uint64_t{1} << 30;
constexpr uint64_t kLarge = 100'000'000;
constexpr int kRounds = 7;
constexpr int kTurns = 4;

template <class T>
T must(Result<T> result) {
  if (result.is_ok()) return result.take();
  std::fprintf(stderr, "store_bench: %s\n", result.status().text().c_str());
  std::exit(1);
}

std::unique_ptr<Arena> new_arena() {
  return must(Arena::create(kCapacity, Quota::alone(kCapacity)));
}

struct Samples {
  std::string name;
  std::string unit;
  std::vector<double> values;

  double median() {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
};

double nanoseconds_each(uint64_t count, const std::function<void()>& body) {
  const uint64_t start = now_ns();
  body();
  return static_cast<double>(now_ns() - start) / static_cast<double>(count);
}

double gigabytes_per_second(uint64_t bytes, const std::function<void()>& body) {
  return 1.0 / nanoseconds_each(bytes, body);
}

double cycle_of(Arena& arena, uint64_t size, uint64_t count) {
  return nanoseconds_each(count, [&] {
    for (uint64_t i = 0; i < count; ++i) {
      const Arena::Allocation object = must(arena.allocate(size));
      *object.data = std::byte{1};
      arena.seal(object.name, 0);
      arena.free(object.name);
    }
  });
}

// Many live objects at once, freed in another order than they were made.
double batch_of(Arena& arena, uint64_t size, uint64_t count) {
  std::vector<ObjectName> names(count);
  return nanoseconds_each(count, [&] {
    for (ObjectName& name : names) {
      const Arena::Allocation object = must(arena.allocate(size));
      arena.seal(object.name, 0);
      name = object.name;
    }
    for (uint64_t i = 0; i < count; ++i) arena.free(names[(i * 7919) % count]);
  });
}

double read_of(Arena& arena, uint64_t size, uint64_t count) {
  const Arena::Allocation object = must(arena.allocate(size));
  arena.seal(object.name, 0);
  auto reader = must(ArenaReader::map(thornback::UniqueFd(dup(arena.fd()))));
  uint64_t total = 0;
  const double each = nanoseconds_each(count, [&] {
    for (uint64_t i = 0; i < count; ++i) total += must(reader->read(object.name)).size;
  });
  if (total != size * count) std::exit(1);
  arena.free(object.name);
  return each;
}

void put(Arena& arena, const std::vector<char>& source) {
  const Arena::Allocation object = must(arena.allocate(source.size()));
  std::memcpy(object.data, source.data(), source.size());
  arena.seal(object.name, 0);
  arena.free(object.name);
}

thornback::shm::Mapping fresh_memory() {
  const thornback::UniqueFd fd = must(thornback::shm::create_memory_file("bench", kLarge));
  return must(
      thornback::shm::Mapping::map(fd.get(), 0, kLarge, thornback::shm::Access::kReadWrite));
}

void print(std::vector<Samples>& rows) {
  std::printf("[\n");
  for (size_t i = 0; i < rows.size(); ++i) {
    const double median = rows[i].median();
    std::printf(
        "  {\"case\": \"%s\", \"unit\": \"%s\", \"median\": %.4g, \"min\": %.4g, "
        "\"max\": %.4g, \"samples\": %zu}%s\n",
        rows[i].name.c_str(), rows[i].unit.c_str(), median, rows[i].values.front(),
        rows[i].values.back(), rows[i].values.size(), i + 1 < rows.size() ? "," : "");
  }
  std::printf("]\n");
}

}  // namespace

int main() {
  const std::vector<char> source(kLarge, 'x');
  auto arena = new_arena();
  auto warm = fresh_memory();
  std::memcpy(warm.data(), source.data(), kLarge);
  put(*arena, source);

  std::vector<Samples> rows{{"cycle-100b", "ns", {}},           {"cycle-64kib", "ns", {}},
                            {"cycle-1mib", "ns", {}},           {"batch-100b", "ns", {}},
                            {"read-entry", "ns", {}},           {"put-100mb-warm", "GB/s", {}},
                            {"memcpy-100mb-warm", "GB/s", {}},  {"put-100mb-cold", "GB/s", {}},
                            {"memcpy-100mb-fresh", "GB/s", {}}, {"put-warm-to-memcpy", "ratio", {}},
                            {"put-cold-to-memcpy", "ratio", {}}};
  for (int round = 0; round < kRounds; ++round) {
    size_t row = 0;
    const auto add = [&](double value) { rows[row++].values.push_back(value); };
    add(cycle_of(*arena, 100, 1'000'000));
    add(cycle_of(*arena, 65536, 1'000'000));
    add(cycle_of(*arena, 1 << 20, 1'000'000));
    add(batch_of(*arena, 100, 100'000));
    add(read_of(*arena, 100, 1'000'000));
    // The best of some turns: other programs on the machine disturb the one as often as the other.
    double put_warm = 0;
    double copy_warm = 0;
    for (int turn = 0; turn < kTurns; ++turn) {
      const auto copy = [&] { std::memcpy(warm.data(), source.data(), kLarge); };
      copy_warm = std::max(copy_warm, gigabytes_per_second(kLarge, copy));
      put_warm = std::max(put_warm, gigabytes_per_second(kLarge, [&] { put(*arena, source); }));
    }
    auto cold_arena = new_arena();
    const double put_cold = gigabytes_per_second(kLarge, [&] { put(*cold_arena, source); });
    auto fresh = fresh_memory();
    const double copy_fresh =
        gigabytes_per_second(kLarge, [&] { std::memcpy(fresh.data(), source.data(), kLarge); });
    add(put_warm);
    add(copy_warm);
    add(put_cold);
    add(copy_fresh);
    add(put_warm / copy_warm);
    add(put_cold / copy_fresh);
  }
  print(rows);
  return 0;
}
