// What a reader may do with another's arena, and what a faulty owner can do to its readers:
// nothing.
#include "store/arena_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>
#include <numeric>
#include <vector>

#include "shm/memory_file.h"
#include "store/arena_layout.h"
#include "testing/store/store_testing.h"

namespace thornback::store {
namespace {

using testing::fill_pattern;
using testing::has_pattern;
using testing::must;
using testing::new_arena;
using testing::new_reader;
using testing::Random;

constexpr uint64_t kMiB = uint64_t{1} << 20;

// Runs `body` in a child process and returns how that ended.
template <class F>
int status_of_child(F body) {
  const pid_t child = testing::fork_quietly();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    alarm(30);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(ArenaReader, DescriptorGivesNoWayToWrite) {
  auto arena = new_arena(kMiB);
  const auto object = must(arena->allocate(100));
  arena->seal(object.name, 0);
  const int fd = arena->fd();
  const int status = status_of_child([fd] {
    if (mmap(nullptr, kDataOffset, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
      return 1;
    if (errno != EACCES) return 2;
    void* readable = mmap(nullptr, kDataOffset, PROT_READ, MAP_SHARED, fd, 0);
    if (readable == MAP_FAILED) return 3;
    if (mprotect(readable, 4096, PROT_READ | PROT_WRITE) == 0 || errno != EACCES) return 4;
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0) return 5;
    if (madvise(readable, 4096, MADV_REMOVE) == 0) return 6;
    if (ftruncate(fd, 0) == 0 || write(fd, "x", 1) >= 0) return 7;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0) return 8;
    return 0;
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
}

TEST(ArenaReader, WritingThroughTheMappingKillsTheWriterOnly) {
  auto arena = new_arena(kMiB);
  const auto object = must(arena->allocate(100));
  fill_pattern(object.data, 100, 7);
  arena->seal(object.name, 0);
  const int status = status_of_child([&] {
    auto reader = new_reader(arena->fd());
    const auto seen = must(reader->read(object.name));
    *const_cast<volatile std::byte*>(seen.data) = std::byte{0};
    return 0;
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  EXPECT_TRUE(has_pattern(object.data, 100, 7));
}

// Decision: a private view is never used again for what its pages hold later.
TEST(ArenaReader, PrivateViewsShowTheirOwnObject) {
  auto arena = new_arena(16 * kMiB);
  auto reader = new_reader(arena->fd());
  for (const uint64_t size : {uint64_t{100}, uint64_t{3000}, uint64_t{20'000}, 2 * kMiB}) {
    SCOPED_TRACE(size);
    const auto first = must(arena->allocate(size));
    fill_pattern(first.data, size, 1);
    arena->seal(first.name, 0);
    auto old_view = must(reader->map_private(first.name));
    ASSERT_TRUE(has_pattern(old_view.data, size, 1));
    std::memset(old_view.data, 0xee, size);
    EXPECT_TRUE(has_pattern(must(reader->read(first.name)).data, size, 1))
        << "a view wrote through";
    arena->free(first.name);

    const auto second = must(arena->allocate(size));
    ASSERT_EQ(second.data, first.data) << "the test needs the same pages";
    fill_pattern(second.data, size, 2);
    arena->seal(second.name, 0);
    EXPECT_EQ(reader->map_private(first.name).status().code(), TBK_NOT_FOUND);
    const auto new_view = must(reader->map_private(second.name));
    EXPECT_TRUE(has_pattern(new_view.data, size, 2));
    EXPECT_FALSE(has_pattern(old_view.data, size, 2))
        << "views could be kept: the rule is needless";
    arena->free(second.name);
  }
}

TEST(ArenaReader, SealedObjectsOutliveTheirOwner) {
  auto arena = new_arena(16 * kMiB);
  auto reader = new_reader(arena->fd());
  const auto object = must(arena->allocate(kMiB));
  fill_pattern(object.data, kMiB, 3);
  arena->seal(object.name, 0);
  arena.reset();
  EXPECT_TRUE(has_pattern(must(reader->read(object.name)).data, kMiB, 3));
  EXPECT_TRUE(has_pattern(must(reader->map_private(object.name)).data, kMiB, 3));
}

TEST(ArenaReader, NamesThatNoArenaGivesOut) {
  auto arena = new_arena(kMiB);
  auto reader = new_reader(arena->fd());
  EXPECT_EQ(reader->read({0, 1}).status().code(), TBK_NOT_FOUND);
  EXPECT_EQ(reader->read({kSlotsMax - 1, 5}).status().code(), TBK_NOT_FOUND);
  EXPECT_EQ(reader->read({kSlotsMax, 1}).status().code(), TBK_PROTOCOL);
  EXPECT_EQ(reader->read({UINT32_MAX, 1}).status().code(), TBK_PROTOCOL);
  EXPECT_EQ(reader->read({0, 0}).status().code(), TBK_PROTOCOL);
}

// An arena's file made by hand, to be filled with nonsense.
class ForgedArena {
 public:
  static constexpr uint64_t kBytes = kDataOffset + 4 * kMiB;

  ForgedArena() : fd_(must(shm::create_memory_file("forged", kBytes))) {
    mapping_ = must(shm::Mapping::map(fd_.get(), 0, kBytes, shm::Access::kReadWrite));
    header() = {};
    header().magic = kArenaMagic;
    header().version = kArenaVersion;
    header().slot_count = kSlotsMax;
    header().file_bytes = kBytes;
    header().data_offset = kDataOffset;
  }
  ArenaHeader& header() { return *reinterpret_cast<ArenaHeader*>(mapping_.data()); }
  DirectoryEntry& entry(uint32_t slot) {
    return reinterpret_cast<DirectoryEntry*>(mapping_.data() + kDirectoryOffset)[slot];
  }
  tbk_status_t code_of_map() const {
    return ArenaReader::map(UniqueFd(dup(fd_.get()))).status().code();
  }
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  shm::Mapping mapping_;
};

TEST(ArenaReader, ForeignFilesAreRefused) {
  ForgedArena arena;
  EXPECT_EQ(arena.code_of_map(), TBK_OK);
  arena.header().version = 2;
  EXPECT_EQ(arena.code_of_map(), TBK_VERSION_MISMATCH);
  arena.header().version = kArenaVersion;
  arena.header().slot_count = UINT32_MAX;
  EXPECT_EQ(arena.code_of_map(), TBK_PROTOCOL);
  arena.header().slot_count = kSlotsMax;
  arena.header().data_offset = 1;
  EXPECT_EQ(arena.code_of_map(), TBK_PROTOCOL);
  arena.header().data_offset = kDataOffset;
  arena.header().file_bytes += 4096;
  EXPECT_EQ(arena.code_of_map(), TBK_PROTOCOL);
  arena.header().magic = 0;
  EXPECT_EQ(arena.code_of_map(), TBK_PROTOCOL);

  UniqueFd shrinkable(memfd_create("shrinkable", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(shrinkable.get(), ForgedArena::kBytes), 0);
  EXPECT_EQ(ArenaReader::map(std::move(shrinkable)).status().code(), TBK_PROTOCOL);
  EXPECT_EQ(ArenaReader::map(must(shm::create_memory_file("short", 4096))).status().code(),
            TBK_PROTOCOL);
  EXPECT_FALSE(ArenaReader::map(UniqueFd(open("/dev/null", O_RDONLY))).is_ok());
  EXPECT_FALSE(ArenaReader::map(UniqueFd()).is_ok());
}

uint64_t nonsense_near(Random& random, uint64_t truth) {
  switch (random.below(8)) {
    case 0: return UINT64_MAX - random.below(200);
    case 1: return random.below(200);
    case 2: return ForgedArena::kBytes - random.below(200) + 100;
    case 3: return kDataOffset - random.below(200) + 100;
    case 4: return random.below(UINT64_MAX);
    default: return truth;
  }
}

// Whatever the directory says, what the reader hands out can be read to its last byte.
TEST(ArenaReader, GarbageNeverLeadsOutOfBounds) {
  const uint64_t seed = testing::test_seed();
  SCOPED_TRACE("THORNBACK_SEED=" + std::to_string(seed));
  Random random(seed);
  ForgedArena arena;
  auto reader = new_reader(arena.fd());
  uint64_t accepted = 0;
  uint64_t refused = 0;
  uint64_t sum = 0;
  for (int round = 0; round < 50'000; ++round) {
    const auto slot = static_cast<uint32_t>(random.below(64));
    const auto generation = static_cast<uint32_t>(1 + random.below(3));
    DirectoryEntry& entry = arena.entry(slot);
    entry.word =
        random.one_in(4) ? nonsense_near(random, 0) : make_word(generation, ObjectState::kSealed);
    const uint64_t offset = nonsense_near(random, kDataOffset + 64 * random.below(1000));
    entry.offset = random.one_in(2) ? offset / 64 * 64 : offset;
    entry.size = nonsense_near(random, random.below(5 * kMiB));
    entry.companion =
        static_cast<uint32_t>(random.below(random.one_in(2) ? kSlotsMax : UINT32_MAX));
    const auto object = reader->read({slot, generation});
    const auto view = reader->map_private({slot, generation});
    EXPECT_EQ(object.status().code(), view.status().code());
    if (!object.is_ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    const uint64_t size = object.value().size;
    for (const uint64_t at : {uint64_t{0}, size / 2, size - 1}) {
      if (at < size)
        sum += static_cast<uint64_t>(object.value().data[at]) +
               static_cast<uint64_t>(view.value().data[at]);
    }
  }
  EXPECT_EQ(sum, 0U);
  EXPECT_GT(accepted, 100U);
  EXPECT_GT(refused, 100U);
}

}  // namespace
}  // namespace thornback::store
