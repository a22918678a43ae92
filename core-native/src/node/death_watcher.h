// Waits on the liveness words of many endpoints at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace thornback::node {

// Groups of up to 127 words, each with a thread that sleeps in futex_waitv (Linux 5.16). Where the
// kernel has no such call or refuses a thread, nothing is watched and the hub relies on sockets and
// process descriptors alone.
//
// One waiter per word: the kernel wakes a single waiter at
// a death, so nobody else may wait on the words.
class DeathWatcher {
 public:
  // Called on a watcher thread, at most once per added word.
  using Report = std::function<void(uint64_t tag)>;

  explicit DeathWatcher(Report report);
  ~DeathWatcher();
  DeathWatcher(const DeathWatcher&) = delete;
  DeathWatcher& operator=(const DeathWatcher&) = delete;

  // `futex` stays mapped until remove(). A word that takes any value but the armed one and the mark
  // of death is not watched any longer: its owner detaches, or somebody writes nonsense.
  void add(uint64_t tag, const uint32_t* futex, uint32_t armed_value);
  // After it returned the word is not read any more; a report may still be on its way.
  void remove(uint64_t tag);

  size_t group_count() const;

 private:
  class Group;
  const Report report_;
  const bool is_supported_;
  std::vector<std::unique_ptr<Group>> groups_;
};

}  // namespace thornback::node
