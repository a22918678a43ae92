// The share of the node's store capacity that one arena may fill.
//
// Every arena has one word in a table that all endpoints map, and writes no other. To grow it
// raises its word and adds up all words; when the sum exceeds the capacity it takes the raise back.
//
// Never too much: call a raise granted once its sum has been found within the capacity. At any
// moment take, of the words of all arenas, the granted part, and of these parts the one whose raise
// was stored last. That arena added up after its store, hence after the stores of all other parts,
// and words only sink below their granted part when it is given back. So its sum contained every
// part, and it was within the capacity. (All stores and loads of the words are sequentially
// consistent.)
//
// Progress: two that raise at once may each see the other's raise and both withdraw although one
// would have fitted. A word carries a mark while it is being raised. Who finds too little left and
// no mark is refused at once: what it saw had been granted. Who finds a mark, or collides, asks
// again for no more than it needs, after a random pause that doubles; to be refused without cause,
// each of kAttempts rounds has to collide. A raise that is withdrawn is in the way of others for no
// longer than one addition of the table; one that a death left behind makes refusals slower until
// the word is cleared.
//
// Crash: a word is cleared when the dead endpoint's arena is no longer mapped by anybody. A word
// that dies raised is too high at worst: memory is promised to nobody.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/check.h"

namespace thornback::store {

template <template <class> class Atomic>
class QuotaT {
 public:
  // `granted` has `*high_water` words in use (clipped to `words_max`), `own` among them. The table
  // is written by other processes: nothing read from it is used other than as a number of bytes.
  QuotaT(uint64_t capacity, Atomic<uint64_t>* granted, uint32_t words_max, uint32_t own,
         const Atomic<uint32_t>* high_water)
      : capacity_(capacity),
        granted_(granted),
        high_water_(high_water),
        words_max_(words_max),
        own_(own),
        random_(own * 0x9e3779b97f4a7c15ULL + 1) {}

  // A quota of its own for an arena that shares its capacity with nobody.
  static QuotaT alone(uint64_t capacity) { return {capacity, nullptr, 0, 0, nullptr}; }

  // Raises the grant by `wanted` bytes, or by less if the capacity is short, but at least by
  // `needed`. False when not even that fits; the grant is then as before.
  bool take(uint64_t needed, uint64_t wanted);
  void give_back(uint64_t bytes);
  // Looks again what the others have.
  void refresh() { add_up_others(); }

  uint64_t capacity() const { return capacity_; }
  uint64_t granted_bytes() const { return own_bytes_; }
  // What all other arenas were granted when this was last added up, and how many they are.
  uint64_t others_bytes() const { return others_bytes_; }
  uint32_t others_count() const { return others_count_; }

 private:
  static constexpr int kAttempts = 10;
  // Grants are multiples of this; in the low bits of a word there is room for a mark.
  static constexpr uint64_t kUnit = 4096;
  static constexpr uint64_t kRaising = 1;

  // The words of others can hold anything.
  static uint64_t add_saturating(uint64_t a, uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
  }
  bool raise(uint64_t bytes);
  void add_up_others();
  void publish(uint64_t bytes);
  void pause(int attempt);

  uint64_t capacity_;
  Atomic<uint64_t>* granted_;  // nullptr: alone
  const Atomic<uint32_t>* high_water_;
  uint32_t words_max_;
  uint32_t own_;
  uint64_t own_bytes_ = 0;
  uint64_t others_bytes_ = 0;
  uint32_t others_count_ = 0;
  uint32_t others_raising_ = 0;
  uint64_t random_;
};

using Quota = QuotaT<std::atomic>;

template <template <class> class Atomic>
bool QuotaT<Atomic>::take(uint64_t needed, uint64_t wanted) {
  needed = (needed + kUnit - 1) / kUnit * kUnit;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    add_up_others();
    const uint64_t taken = add_saturating(others_bytes_, own_bytes_);
    const uint64_t left = taken < capacity_ ? (capacity_ - taken) / kUnit * kUnit : 0;
    if (left < needed) {
      if (others_raising_ == 0) return false;
    } else {
      // The first attempt takes what is left if that is less than wanted; later ones take no more
      // than they need, and collide with others only if there is too little for both.
      const uint64_t most = attempt == 0 ? std::max(needed, wanted / kUnit * kUnit) : needed;
      if (raise(std::min(left, most))) return true;
    }
    pause(attempt);
  }
  return false;
}

// Publishes the raise, then looks whether it was within the capacity.
template <template <class> class Atomic>
bool QuotaT<Atomic>::raise(uint64_t bytes) {
  const uint64_t raised = own_bytes_ + bytes;
  publish(raised | kRaising);
  add_up_others();
  const bool is_granted = add_saturating(others_bytes_, raised) <= capacity_;
  if (is_granted) own_bytes_ = raised;
  publish(own_bytes_);
  return is_granted;
}

template <template <class> class Atomic>
void QuotaT<Atomic>::give_back(uint64_t bytes) {
  TBK_CHECK(bytes <= own_bytes_ && bytes % kUnit == 0);
  own_bytes_ -= bytes;
  publish(own_bytes_);
}

// SYNC: the store of a raise and the loads of the other words form a Dekker pair with those of
// every other arena: of two that raise at once, at least one sees the other's raise.
template <template <class> class Atomic>
void QuotaT<Atomic>::publish(uint64_t bytes) {
  if (granted_ != nullptr) granted_[own_].store(bytes, std::memory_order_seq_cst);
}

template <template <class> class Atomic>
void QuotaT<Atomic>::add_up_others() {
  others_bytes_ = 0;
  others_count_ = 0;
  others_raising_ = 0;
  if (granted_ == nullptr) return;
  const uint32_t count = std::min(high_water_->load(std::memory_order_seq_cst), words_max_);
  for (uint32_t index = 0; index < count; ++index) {
    if (index == own_) continue;
    const uint64_t word = granted_[index].load(std::memory_order_seq_cst);
    others_bytes_ = add_saturating(others_bytes_, word / kUnit * kUnit);
    others_count_ += word != 0 ? 1 : 0;
    others_raising_ += word % kUnit != 0 ? 1 : 0;
  }
}

// Between one addition of the table and some hundreds of microseconds, different for each arena.
template <template <class> class Atomic>
void QuotaT<Atomic>::pause(int attempt) {
  random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  const uint64_t rounds = (random_ >> 33) % (uint64_t{64} << attempt);
  for (uint64_t round = 0; round < rounds; ++round) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
}

}  // namespace thornback::store
