#include "call/inbox.h"

#include <algorithm>

namespace thornback::call {

void FairQueue::push(uint32_t lane, uint64_t handle) {
  if (lane >= lanes_.size()) lanes_.resize(lane + 1);
  if (!lanes_[lane]) lanes_[lane] = std::make_unique<std::deque<uint64_t>>();
  if (lanes_[lane]->empty()) turns_.push_back(lane);
  lanes_[lane]->push_back(handle);
}

uint64_t FairQueue::pop() {
  const uint32_t lane = turns_.front();
  std::deque<uint64_t>& calls = *lanes_[lane];
  const uint64_t handle = calls.front();
  calls.pop_front();
  if (calls.empty()) {
    turns_.pop_front();
  } else if (turns_.size() > 1) {
    turns_.pop_front();
    turns_.push_back(lane);
  }
  return handle;
}

bool Inbox::set_groups(uint32_t instance, const std::vector<GroupLimit>& groups,
                       std::unordered_map<uint32_t, uint32_t> methods) {
  if (groups.empty()) {
    forget(instance);
    return true;
  }
  Instance& place = instances_[instance];
  if (place.groups.empty()) {
    for (const GroupLimit& each : groups) {
      auto group = std::make_unique<Group>();
      group->index = static_cast<uint32_t>(place.groups.size());
      group->name = each.name;
      place.groups.push_back(std::move(group));
    }
  }
  const bool is_same =
      std::equal(groups.begin(), groups.end(), place.groups.begin(), place.groups.end(),
                 [](const GroupLimit& a, const auto& b) { return a.name == b->name; });
  if (!is_same) return false;
  for (size_t i = 0; i < groups.size(); ++i) {
    place.groups[i]->limit = groups[i].limit;
    list(*place.groups[i]);
  }
  place.methods = std::move(methods);
  return true;
}

// What is still queued is given out without a limit: the binding says that the instance is gone.
void Inbox::forget(uint32_t instance) {
  const auto found = instances_.find(instance);
  if (found == instances_.end()) return;
  for (const auto& group : found->second.groups) {
    while (!group->queue.is_empty()) unlimited_.queue.push(0, group->queue.pop());
    std::erase(ready_, group.get());
  }
  instances_.erase(found);
  list(unlimited_);
}

bool Inbox::add(uint64_t handle, uint32_t lane, uint32_t instance, uint32_t function,
                uint32_t name) {
  const auto place = instances_.empty() ? instances_.end() : instances_.find(instance);
  if (place == instances_.end()) {
    if (name != 0) return false;
    unlimited_.queue.push(lane, handle);
    list(unlimited_);
    return true;
  }
  const Group* found = find(place->second, function, name);
  if (found == nullptr) return false;
  Group& group = *place->second.groups[found->index];
  group.queue.push(lane, handle);
  list(group);
  return true;
}

const Inbox::Group* Inbox::find(const Instance& instance, uint32_t function, uint32_t name) {
  if (name != 0) {
    const auto named = std::find_if(instance.groups.begin(), instance.groups.end(),
                                    [name](const auto& each) { return each->name == name; });
    return named == instance.groups.end() ? nullptr : named->get();
  }
  const auto method = instance.methods.find(function);
  return instance.groups[method == instance.methods.end() ? 0 : method->second].get();
}

uint32_t Inbox::group_of(uint32_t instance, uint32_t function, uint32_t name) const {
  const auto place = instances_.find(instance);
  if (place == instances_.end()) return kNoGroup;
  const Group* found = find(place->second, function, name);
  return found == nullptr ? kNoGroup : found->index;
}

uint32_t Inbox::limit_of(uint32_t instance, uint32_t group) const {
  return instances_.at(instance).groups[group]->limit;
}

std::vector<uint32_t> Inbox::group_names(uint32_t instance) const {
  std::vector<uint32_t> names;
  if (const auto found = instances_.find(instance); found != instances_.end()) {
    for (const auto& group : found->second.groups) {
      if (group->name != 0) names.push_back(group->name);
    }
  }
  return names;
}

void Inbox::give_back(uint32_t instance, uint32_t index) {
  const auto found = instances_.find(instance);
  if (found == instances_.end() || index >= found->second.groups.size()) return;
  Group& group = *found->second.groups[index];
  if (group.running > 0) --group.running;
  list(group);
}

void Inbox::list(Group& group) {
  if (group.is_listed || group.queue.is_empty() || group.running >= group.limit) return;
  group.is_listed = true;
  ready_.push_back(&group);
}

}  // namespace thornback::call
