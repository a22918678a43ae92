// Calls that were received and not yet given to the binding: in order for each caller, in turn
// between callers, and in each concurrency group no more at once than its limit. It knows calls by
// their handles only; one that has gone meanwhile is passed over.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace thornback::call {

inline constexpr uint32_t kNoGroup = UINT32_MAX;

// First in first out for each lane, one of each lane in turn.
class FairQueue {
 public:
  void push(uint32_t lane, uint64_t handle);
  uint64_t pop();  // not empty
  bool is_empty() const { return turns_.empty(); }

 private:
  std::vector<std::unique_ptr<std::deque<uint64_t>>> lanes_;
  std::deque<uint32_t> turns_;  // the lanes that hold something, the next first
};

struct GroupLimit {
  uint32_t name;   // a function number; 0 for the group of methods without one
  uint32_t limit;  // calls that run at once
};

class Inbox {
 public:
  // Called again for an instance it changes the limits; the groups stay the same ones. False if
  // they are not. An empty list forgets the instance.
  bool set_groups(uint32_t instance, const std::vector<GroupLimit>& groups,
                  std::unordered_map<uint32_t, uint32_t> methods);
  // False: the instance has no group of that name (0: the method's own).
  bool add(uint64_t handle, uint32_t lane, uint32_t instance, uint32_t function, uint32_t name);
  // The group of such a call, kNoGroup if the instance has none, and its limit.
  uint32_t group_of(uint32_t instance, uint32_t function, uint32_t name) const;
  uint32_t limit_of(uint32_t instance, uint32_t group) const;
  // The names of an instance's groups, for a message.
  std::vector<uint32_t> group_names(uint32_t instance) const;

  // The next call for which `is_there` holds; `group` is what it has to be given back with.
  template <typename IsThere>
  bool take(IsThere is_there, uint64_t& handle, uint32_t& group) {
    while (!ready_.empty()) {
      Group& first = *ready_.front();
      ready_.pop_front();
      first.is_listed = false;
      if (first.queue.is_empty() || first.running >= first.limit) continue;
      handle = first.queue.pop();
      const bool is_found = is_there(handle);
      group = first.index;
      if (is_found && group != kNoGroup) ++first.running;
      list(first);
      if (is_found) return true;
    }
    return false;
  }
  // A call of this group is over.
  void give_back(uint32_t instance, uint32_t group);
  // Some calls may be there; those that have gone count until they are passed over.
  bool has_ready() const { return !ready_.empty(); }

 private:
  struct Group {
    uint32_t index = kNoGroup;
    uint32_t name = 0;
    uint32_t limit = UINT32_MAX;
    uint32_t running = 0;
    bool is_listed = false;
    FairQueue queue;
  };
  struct Instance {
    std::vector<std::unique_ptr<Group>> groups;
    std::unordered_map<uint32_t, uint32_t> methods;  // function number to index of a group
  };

  static const Group* find(const Instance& instance, uint32_t function, uint32_t name);
  void list(Group& group);
  void forget(uint32_t instance);

  Group unlimited_;  // of instances without groups
  std::unordered_map<uint32_t, Instance> instances_;
  std::deque<Group*> ready_;  // groups that may have something to give
};

}  // namespace thornback::call
