// Owner and reader at the same time: two threads over one mapping, for TSAN, and two processes over
// one arena, as they run in earnest.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <thread>
#include <vector>

#include "base/clock.h"
#include "store/directory.h"
#include "testing/store/store_testing.h"

namespace thornback::store {
namespace {

using testing::fill_pattern;
using testing::has_pattern;
using testing::must;
using testing::new_arena;
using testing::new_reader;
using testing::Random;

// The reader guesses the name, so that nothing but the directory orders it after the writer.
TEST(ArenaRace, SealPublishesEntryAndBytes) {
  constexpr uint32_t kRounds = 20'000;
  std::vector<DirectoryEntry> entries(4);
  uint64_t bytes[4] = {};
  std::atomic<uint32_t> done{0};
  std::thread reader([&] {
    uint32_t seen = 0;
    while (seen < kRounds) {
      const uint32_t generation = seen + 1;
      const EntryView view = read_entry(entries[0], generation);
      if (view.outcome != EntryView::Outcome::kSealed) {
        sched_yield();
        continue;
      }
      EXPECT_EQ(view.size, generation);
      EXPECT_EQ(bytes[view.offset], generation);
      if (seen > 0) {
        EXPECT_NE(read_entry(entries[0], seen).outcome, EntryView::Outcome::kSealed);
      }
      done.store(++seen, std::memory_order_release);
    }
  });
  OwnerDirectory<std::atomic> owner(entries.data(), 1);
  for (uint32_t round = 1; round <= kRounds; ++round) {
    const ObjectName name = owner.enter(round % 4, round);
    bytes[round % 4] = round;
    owner.seal(name, {}, false);
    while (done.load(std::memory_order_acquire) < round) sched_yield();
    owner.retire(name);
  }
  reader.join();
}

// One place for an object on its way from the owner to the reader and back.
struct Exchange {
  enum State : uint32_t { kEmpty, kFull, kDone };
  std::atomic<uint32_t> state;
  std::atomic<uint32_t> slot, generation;
  std::atomic<uint64_t> size, tag;
};
constexpr uint32_t kExchanges = 16;
struct Shared {
  Exchange exchanges[kExchanges];
  std::atomic<uint32_t> is_over;
};

// Returns 0 or what went wrong.
int read_until_over(Shared& shared, int fd, uint64_t seed) {
  Random random(seed);
  auto reader = new_reader(fd);
  ObjectName last[kExchanges] = {};
  while (shared.is_over.load() == 0) {
    const auto index = static_cast<uint32_t>(random.below(kExchanges));
    Exchange& exchange = shared.exchanges[index];
    if (exchange.state.load(std::memory_order_acquire) != Exchange::kFull) {
      sched_yield();
      continue;
    }
    const ObjectName name{exchange.slot.load(), exchange.generation.load()};
    const uint64_t size = exchange.size.load();
    const uint64_t tag = exchange.tag.load();
    const auto object = reader->read(name);
    if (!object.is_ok() || object.value().size != size) return 1;
    if (!has_pattern(object.value().data, size, tag)) return 2;
    if (random.one_in(8)) {
      auto view = reader->map_private(name);
      if (!view.is_ok() || !has_pattern(view.value().data, size, tag)) return 3;
      std::memset(view.value().data, 0, size);
    }
    // The object that came this way before was given back and freed since.
    if (last[index].generation != 0 && reader->read(last[index]).status().code() != TBK_NOT_FOUND)
      return 4;
    last[index] = name;
    exchange.state.store(Exchange::kDone, std::memory_order_release);
  }
  return 0;
}

void own(Shared& shared, Arena& arena, uint64_t seed, int count) {
  Random random(seed);
  uint64_t tag = 0;
  const uint64_t deadline_ns = now_ns() + 120'000'000'000ULL;
  while (count > 0 && now_ns() < deadline_ns) {
    Exchange& exchange = shared.exchanges[random.below(kExchanges)];
    const uint32_t state = exchange.state.load(std::memory_order_acquire);
    if (state == Exchange::kFull) {
      sched_yield();
      continue;
    }
    if (state == Exchange::kDone) {
      EXPECT_TRUE(arena.free({exchange.slot.load(), exchange.generation.load()}));
    }
    const uint64_t size = random.size_up_to(random.one_in(20) ? 1'000'000 : 10'000);
    const auto object = must(arena.allocate(size));
    fill_pattern(object.data, size, ++tag);
    arena.seal(object.name, 0);
    exchange.slot = object.name.slot;
    exchange.generation = object.name.generation;
    exchange.size = size;
    exchange.tag = tag;
    exchange.state.store(Exchange::kFull, std::memory_order_release);
    --count;
  }
  EXPECT_EQ(count, 0) << "the reader stopped";
  shared.is_over = 1;
}

TEST(ArenaRace, ReaderInAnotherProcessSeesWholeObjects) {
  const uint64_t seed = testing::test_seed();
  SCOPED_TRACE("THORNBACK_SEED=" + std::to_string(seed));
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& shared = *static_cast<Shared*>(memory);
  auto arena = new_arena(uint64_t{64} << 20);
  const pid_t child = testing::fork_quietly();
  if (child == 0) {
    alarm(120);
    _exit(read_until_over(shared, arena->fd(), seed + 1));
  }
  own(shared, *arena, seed, 20'000);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
  munmap(memory, sizeof(Shared));
}

}  // namespace
}  // namespace thornback::store
