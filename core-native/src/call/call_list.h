// Queued calls of a target by priority: higher first, in order among equals.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>

namespace thornback::call {

class CallList {
 public:
  bool empty() const { return size_ == 0; }
  uint64_t size() const { return size_; }  // those that were cancelled meanwhile included
  uint64_t front() { return first()->second.front(); }

  void push_back(uint64_t call, int32_t priority = 0) {
    ranks_[priority].push_back(call);
    ++size_;
  }
  void push_front(uint64_t call, int32_t priority = 0) {
    ranks_[priority].push_front(call);
    ++size_;
  }
  void pop_front() {
    const auto rank = first();
    rank->second.pop_front();
    --size_;
    // A few are kept although empty: a queue of one that comes and goes should not allocate.
    if (rank->second.empty() && ranks_.size() > kEmptyRanksMax) ranks_.erase(rank);
  }

 private:
  static constexpr size_t kEmptyRanksMax = 16;
  using Ranks = std::map<int32_t, std::deque<uint64_t>, std::greater<>>;

  Ranks::iterator first() {
    auto rank = ranks_.begin();
    while (rank->second.empty()) ++rank;
    return rank;
  }

  Ranks ranks_;
  uint64_t size_ = 0;
};

}  // namespace thornback::call
