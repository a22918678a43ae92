// What the tests of the store share: results that must be there, seeds, and bytes that can be told
// apart.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <span>

#include "base/status.h"
#include "base/unique_fd.h"
#include "store/arena.h"
#include "store/arena_reader.h"

namespace thornback::testing {

template <class T>
T must(Result<T> result) {
  if (!result.is_ok()) {
    ADD_FAILURE() << result.status().text();
    std::abort();
  }
  return result.take();
}

// The seed of a randomised test: from THORNBACK_SEED, or a new one. Print it with SCOPED_TRACE.
inline uint64_t test_seed() {
  const char* given = std::getenv("THORNBACK_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  uint64_t below(uint64_t end) { return engine_() % end; }
  bool one_in(uint64_t count) { return below(count) == 0; }
  // Every magnitude from 1 to `most` is as likely as any other.
  uint64_t size_up_to(uint64_t most) {
    const double exponent = std::uniform_real_distribution<double>(0.0, 1.0)(engine_);
    const auto size = static_cast<uint64_t>(std::pow(static_cast<double>(most), exponent));
    return std::min(std::max<uint64_t>(size, 1), most);
  }

 private:
  std::mt19937_64 engine_;
};

// Bytes that follow from `tag`, different at each place of an object and for each tag.
inline uint64_t pattern_word(uint64_t tag, uint64_t index) {
  uint64_t word = tag * 0x9e3779b97f4a7c15ULL + index * 0xbf58476d1ce4e5b9ULL + 1;
  return word ^ (word >> 29);
}

inline void fill_pattern(std::byte* data, uint64_t size, uint64_t tag) {
  for (uint64_t at = 0; at < size; at += sizeof(uint64_t)) {
    const uint64_t word = pattern_word(tag, at);
    std::memcpy(data + at, &word, std::min<uint64_t>(sizeof word, size - at));
  }
}

inline bool has_pattern(const std::byte* data, uint64_t size, uint64_t tag) {
  for (uint64_t at = 0; at < size; at += sizeof(uint64_t)) {
    const uint64_t word = pattern_word(tag, at);
    if (std::memcmp(data + at, &word, std::min<uint64_t>(sizeof word, size - at)) != 0)
      return false;
  }
  return true;
}

inline std::unique_ptr<store::Arena> new_arena(uint64_t bytes_max) {
  return must(store::Arena::create(bytes_max, store::Quota::alone(bytes_max)));
}

inline std::unique_ptr<store::ArenaReader> new_reader(int fd) {
  return must(store::ArenaReader::map(UniqueFd(dup(fd))));
}

// Without the output that is still buffered, which parent and child would both print.
inline pid_t fork_quietly() {
  std::fflush(nullptr);
  return fork();
}

// What the kernel says the file takes.
inline uint64_t bytes_in_memory(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return UINT64_MAX;
  return static_cast<uint64_t>(info.st_blocks) * 512;
}

}  // namespace thornback::testing
