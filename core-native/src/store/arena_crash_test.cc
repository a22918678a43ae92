// Kills the owner of an arena before and after each of its stores to shared memory, and in the
// middle of each object's bytes, and looks at what is left through a reader that nobody told
// anything.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>
#include <string>

#include "shm/memory_file.h"
#include "store/arena_impl.h"
#include "testing/store/store_testing.h"

namespace thornback::store {
namespace {

using testing::fill_pattern;
using testing::has_pattern;
using testing::must;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint32_t kObjects = 16;

int steps_left = 0;

void crash_point() {
  if (--steps_left == 0) raise(SIGKILL);
}

// An atomic whose stores are crash points.
template <class T>
class CrashAtomic {
 public:
  T load(std::memory_order order) const { return value_.load(order); }
  void store(T value, std::memory_order order) {
    crash_point();
    value_.store(value, order);
    crash_point();
  }

 private:
  std::atomic<T> value_;
};

using CrashDirectory = OwnerDirectory<CrashAtomic>;

// What the owner noted down, in memory that both processes see, before each step.
enum class Phase : uint32_t { kNone, kAllocating, kWriting, kSealing, kSealed, kFreeing, kFreed };

struct Note {
  ObjectName name;
  uint64_t size;
  std::atomic<Phase> phase;
};
struct Journal {
  std::atomic<int> fd;
  std::atomic<int> may_start;
  Note notes[kObjects];
};

constexpr uint64_t size_of_object(uint32_t number) {
  constexpr uint64_t kSizes[] = {100, 100, 40'000, 3000, 16'384, 300'000};
  return kSizes[number % 6] + number;
}

template <class Directory>
class Owner {
 public:
  explicit Owner(Journal& journal) : journal_(journal) {}

  int run() {
    arena_ = must(BasicArena<Directory>::create(4 * kMiB, Quota::alone(4 * kMiB)));
    journal_.fd = arena_->fd();
    while (journal_.may_start.load() == 0) usleep(100);
    for (uint32_t number = 0; number < kObjects; ++number) {
      make(number);
      if (number % 3 == 2) drop(number - 1);
      if (number % 8 == 7) drop(number - 4);
    }
    return 0;
  }

 private:
  void make(uint32_t number) {
    Note& note = journal_.notes[number];
    note.size = size_of_object(number);
    note.phase = Phase::kAllocating;
    const auto object = must(arena_->allocate(note.size));
    note.name = object.name;
    note.phase = Phase::kWriting;
    crash_point();
    fill_pattern(object.data, note.size / 2 / 8 * 8, number);
    crash_point();
    fill_pattern(object.data, note.size, number);
    crash_point();
    note.phase = Phase::kSealing;
    const bool has_companion = number % 6 == 5;
    arena_->seal(object.name, has_companion ? journal_.notes[number - 2].name.slot + 1 : 0);
    note.phase = Phase::kSealed;
  }
  void drop(uint32_t number) {
    set_phase(number, Phase::kFreeing);
    arena_->free(journal_.notes[number].name);
    set_phase(number, Phase::kFreed);
  }
  // A companion goes with its object.
  void set_phase(uint32_t number, Phase phase) {
    journal_.notes[number].phase = phase;
    if (number % 6 == 5) journal_.notes[number - 2].phase = phase;
  }

  Journal& journal_;
  std::unique_ptr<BasicArena<Directory>> arena_;
};

// Starts an owner that dies at its crash point `steps`; false if it got to its end.
template <class Directory>
bool run_owner(Journal& journal, int steps, UniqueFd& fd) {
  const pid_t child = testing::fork_quietly();
  if (child == 0) {
    alarm(30);
    steps_left = 0;
    Owner<Directory> owner(journal);
    steps_left = steps;
    _exit(owner.run());
  }
  while (journal.fd.load() == 0) usleep(100);
  const std::string path =
      "/proc/" + std::to_string(child) + "/fd/" + std::to_string(journal.fd.load());
  fd.reset(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  journal.may_start = 1;
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the owner failed: " << status;
  return false;
}

const Note* note_of(const Journal& journal, ObjectName name) {
  for (const Note& note : journal.notes) {
    if (note.name == name) return &note;
  }
  return nullptr;
}

// What is wrong with what the dead owner left; "" if nothing is.
std::string verdict(const Journal& journal, const ArenaReader& reader) {
  for (uint32_t number = 0; number < kObjects; ++number) {
    const Note& note = journal.notes[number];
    if (note.phase.load() < Phase::kWriting) continue;
    const bool is_there = reader.read(note.name).is_ok();
    if (note.phase.load() == Phase::kSealed && !is_there) return "a sealed object is gone";
    if (note.phase.load() == Phase::kWriting && is_there) return "an unsealed object is visible";
    if (note.phase.load() == Phase::kFreed && is_there) return "a freed object is visible";
  }
  for (uint32_t slot = 0; slot < kObjects; ++slot) {
    for (uint32_t generation = 1; generation < 10; ++generation) {
      const auto object = reader.read({slot, generation});
      if (object.status().code() == TBK_PROTOCOL) return "nonsense: " + object.status().text();
      if (!object.is_ok()) continue;
      const Note* note = note_of(journal, {slot, generation});
      if (note == nullptr) return "an object is visible that its owner does not know yet";
      const auto number = static_cast<uint64_t>(note - journal.notes);
      if (object.value().size != note->size) return "an object has another's size";
      if (!has_pattern(object.value().data, note->size, number)) return "an object has wrong bytes";
      if (number % 6 == 5 && object.value().companion_name() != journal.notes[number - 2].name) {
        return "an object has lost its companion";
      }
    }
  }
  return "";
}

struct Exploration {
  std::string complaint;
  int deaths = 0;
};

template <class Directory>
Exploration explore() {
  Exploration result;
  for (int steps = 1;; ++steps) {
    void* memory =
        mmap(nullptr, sizeof(Journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto& journal = *static_cast<Journal*>(memory);
    UniqueFd fd;
    const bool has_died = run_owner<Directory>(journal, steps, fd);
    result.deaths += has_died ? 1 : 0;
    const auto reader = must(ArenaReader::map(std::move(fd)));
    const std::string complaint = verdict(journal, *reader);
    munmap(memory, sizeof(Journal));
    if (!complaint.empty())
      result.complaint = complaint + " after crash point " + std::to_string(steps);
    if (!has_died || !complaint.empty()) return result;
  }
}

TEST(ArenaCrash, SurvivorsFindWholeObjectsOnly) {
  const Exploration result = explore<CrashDirectory>();
  EXPECT_EQ(result.complaint, "");
  // Per object: six stores to enter it and one to seal it, two points each, and three around its
  // bytes.
  EXPECT_GT(result.deaths, static_cast<int>(kObjects) * 17);
}

// The same with one thing in the wrong order: each must be found out.
class SealsBeforeWriting : public CrashDirectory {
 public:
  using CrashDirectory::CrashDirectory;
  ObjectName enter(uint64_t offset, uint64_t size) {
    const ObjectName name = CrashDirectory::enter(offset, size);
    CrashDirectory::seal(name, {}, false);
    return name;
  }
};

class SealsBeforeCompanion : public CrashDirectory {
 public:
  SealsBeforeCompanion(Entry* entries, uint32_t count)
      : CrashDirectory(entries, count), entries_(entries) {}
  void seal(ObjectName name, ObjectName companion, bool has_companion) {
    CrashDirectory::seal(name, {}, false);
    if (!has_companion) return;
    entries_[name.slot].companion.store(companion.slot + 1, std::memory_order_release);
    entries_[name.slot].companion_generation.store(companion.generation, std::memory_order_release);
  }

 private:
  Entry* entries_;
};

// Ends a name only when the next one is ended, so that the memory is reused under its eyes.
class ReusesBeforeRetiring : public CrashDirectory {
 public:
  using CrashDirectory::CrashDirectory;
  void retire(ObjectName name) {
    if (delayed_) CrashDirectory::retire(*delayed_);
    delayed_ = name;
  }

 private:
  std::optional<ObjectName> delayed_;
};

TEST(ArenaCrash, CanarySealBeforeWriting) {
  EXPECT_NE(explore<SealsBeforeWriting>().complaint, "");
}

TEST(ArenaCrash, CanarySealBeforeCompanion) {
  EXPECT_NE(explore<SealsBeforeCompanion>().complaint, "");
}

TEST(ArenaCrash, CanaryReuseBeforeRetiring) {
  EXPECT_NE(explore<ReusesBeforeRetiring>().complaint, "");
}

}  // namespace
}  // namespace thornback::store
