// The truth about memory: what use costs over time, and what the machine cannot give is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "store/machine_memory.h"
#include "testing/store/store_testing.h"

namespace thornback::store {
namespace {

using testing::bytes_in_memory;
using ::testing::HasSubstr;
using testing::must;
using testing::new_arena;
using testing::Random;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

// Resident memory of this process without the arenas' pages: what the allocator itself takes.
uint64_t private_bytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  uint64_t shared = 0;
  file >> total >> resident >> shared;
  return (resident - shared) * 4096;
}

// The address sanitizer keeps freed memory back for a while.
#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kPrivateGrowthMax = 16 * kMiB;
#else
constexpr uint64_t kPrivateGrowthMax = kMiB / 2;
#endif

TEST(ArenaMemory, AMillionPutsAndDropsLeaveNothing) {
  const uint64_t seed = testing::test_seed();
  SCOPED_TRACE("THORNBACK_SEED=" + std::to_string(seed));
  Random random(seed);
  auto arena = new_arena(64 * kMiB);
  std::vector<ObjectName> live;
  const auto churn = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const auto object =
          must(arena->allocate(random.size_up_to(random.one_in(100) ? kMiB : 4096)));
      arena->seal(object.name, 0);
      live.push_back(object.name);
      if (live.size() < 200) continue;
      const uint64_t index = random.below(live.size());
      arena->free(live[index]);
      live[index] = live.back();
      live.pop_back();
    }
  };
  churn(100'000);
  const uint64_t private_before = private_bytes();
  churn(900'000);
  const uint64_t private_after = private_bytes();
  for (const ObjectName name : live) arena->free(name);
  EXPECT_EQ(arena->bytes_live(), 0U);
  EXPECT_LE(private_after, private_before + kPrivateGrowthMax);
  EXPECT_LE(arena->bytes_committed(), 20 * kMiB);
  arena->trim(0);
  EXPECT_EQ(arena->bytes_committed(), 0U);
  EXPECT_LE(bytes_in_memory(arena->fd()), 128U << 10);
}

// Two arenas share a capacity; what one frees, the other can have.
TEST(ArenaMemory, CapacityMovesBetweenArenas) {
  constexpr uint64_t kCapacity = 128 * kMiB;
  std::atomic<uint64_t> granted[2]{};
  std::atomic<uint32_t> high_water{2};
  auto first = must(Arena::create(kCapacity, Quota(kCapacity, granted, 2, 0, &high_water)));
  auto second = must(Arena::create(kCapacity, Quota(kCapacity, granted, 2, 1, &high_water)));
  const auto object = must(first->allocate(100 * kMiB));
  EXPECT_EQ(second->allocate(60 * kMiB).status().code(), TBK_STORE_FULL);
  first->free(object.name);
  const auto other = must(second->allocate(60 * kMiB));
  EXPECT_LE(granted[0] + granted[1], kCapacity);
  EXPECT_EQ(granted[1], second->bytes_granted());
  const auto refused = first->allocate(100 * kMiB);
  EXPECT_THAT(refused.status().text(), HasSubstr("other endpoints were granted"));
  second->free(other.name);
  second->trim(0);
  EXPECT_TRUE(first->allocate(100 * kMiB).is_ok());
}

// The store may be larger than what is free at the moment. What is not there is refused before
// anything is touched, instead of being killed for it.
TEST(ArenaMemory, MemoryThatTheMachineLacksIsRefused) {
  const MachineMemory memory = must(machine_memory());
  const uint64_t most = memory.total / kMiB * kMiB;
  if (most < memory.available) GTEST_SKIP() << "everything is free";
  auto arena = new_arena(most);
  const auto refused = arena->allocate(most);
  ASSERT_FALSE(refused.is_ok());
  EXPECT_EQ(refused.status().code(), TBK_STORE_FULL);
  EXPECT_THAT(refused.status().text(), HasSubstr("the machine is out of memory"));
  EXPECT_EQ(arena->bytes_committed(), 0U);
  EXPECT_LT(bytes_in_memory(arena->fd()), kMiB);
  EXPECT_TRUE(arena->allocate(kMiB).is_ok());
}

// A tree of files that looks like /proc and /sys.
class FakeMachine : public ::testing::Test {
 protected:
  FakeMachine() : root_(::testing::TempDir() + "thornback-machine-" + std::to_string(getpid())) {
    write("/proc/meminfo",
          "MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable:   8388608 kB\n");
  }
  ~FakeMachine() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  void write_group(const std::string& folder, const std::string& limit, uint64_t usage,
                   uint64_t cache) {
    write(folder + "/memory.max", limit + "\n");
    write(folder + "/memory.current", std::to_string(usage) + "\n");
    write(folder + "/memory.stat", "anon 5\ninactive_file " + std::to_string(cache) + "\n");
  }
  MachineMemory memory() const { return must(machine_memory(root_)); }

  std::string root_;
};

TEST_F(FakeMachine, WithoutGroups) {
  EXPECT_EQ(memory().total, 16 * kGiB);
  EXPECT_EQ(memory().available, 8 * kGiB);
}

TEST_F(FakeMachine, UnlimitedGroup) {
  write("/proc/self/cgroup", "0::/user.slice/thing\n");
  write_group("/sys/fs/cgroup/user.slice/thing", "max", kGiB, 0);
  EXPECT_EQ(memory().total, 16 * kGiB);
  EXPECT_EQ(memory().available, 8 * kGiB);
}

TEST_F(FakeMachine, LimitsOfTheGroupAndThoseAboveIt) {
  write("/proc/self/cgroup", "0::/outer/inner\n");
  write_group("/sys/fs/cgroup/outer/inner", std::to_string(4 * kGiB), kGiB, kGiB / 2);
  EXPECT_EQ(memory().total, 4 * kGiB);
  EXPECT_EQ(memory().available, 3 * kGiB + kGiB / 2);
  // More is allowed above, but less of it is left.
  write_group("/sys/fs/cgroup/outer", std::to_string(6 * kGiB), 5 * kGiB, 0);
  EXPECT_EQ(memory().total, 4 * kGiB);
  EXPECT_EQ(memory().available, kGiB);
}

// In a container the path of the group is the host's; its files are at the root of the mount.
TEST_F(FakeMachine, ContainerWhoseGroupIsTheMountItself) {
  write("/proc/self/cgroup", "0::/docker/0123abcd\n");
  write_group("/sys/fs/cgroup", std::to_string(2 * kGiB), kGiB, 0);
  EXPECT_EQ(memory().total, 2 * kGiB);
  EXPECT_EQ(memory().available, kGiB);
}

TEST_F(FakeMachine, GroupsOfVersionOne) {
  write("/proc/self/cgroup", "9:name=systemd:/\n4:memory:/job\n0::/\n");
  write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", std::to_string(3 * kGiB) + "\n");
  write("/sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(2 * kGiB) + "\n");
  write("/sys/fs/cgroup/memory/job/memory.stat", "cache 1\ntotal_inactive_file 0\n");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(memory().total, 3 * kGiB);
  EXPECT_EQ(memory().available, kGiB);
}

TEST_F(FakeMachine, NonsenseIsIgnoredOrReported) {
  write("/proc/self/cgroup", "\n:\n::\n0:\nmemory\n0::/x\n");
  write("/sys/fs/cgroup/x/memory.max", "\n");
  EXPECT_EQ(memory().total, 16 * kGiB);
  write("/proc/meminfo", "MemTotal: 5\n");
  EXPECT_EQ(machine_memory(root_).status().code(), TBK_IO);
  EXPECT_FALSE(machine_memory(root_ + "/nowhere").is_ok());
}

TEST(MachineMemory, OfThisMachineIsPlausible) {
  const MachineMemory memory = must(machine_memory());
  EXPECT_GT(memory.total, 64 * kMiB);
  EXPECT_LE(memory.available, memory.total);
  EXPECT_TRUE(check_store_capacity(kMiB).is_ok());
  const Status refused = check_store_capacity(uint64_t{1} << 50);
  EXPECT_EQ(refused.code(), TBK_NO_MEMORY);
  EXPECT_THAT(refused.text(), HasSubstr("1073741824 MiB was asked for"));
}

}  // namespace
}  // namespace thornback::store
