// One bit per sender, set when that sender has something for the owner of the doorbell. Two levels,
// so that the owner finds the senders among kEndpointsMax without looking at every word.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

namespace thornback::shm {

inline constexpr uint32_t kEndpointsMax = 4096;

// Invariant: a bit in `words` whose word has its bit in `summary`, or whose sender is still inside
// ring(), is going to be taken by the owner.
//
// Order of the sender: first the bit in the word, then the bit in the summary. Order of the owner:
// first the summary, then the words it names. An owner that clears a summary bit therefore looks at
// the word afterwards, and a sender that finds its summary bit set knows that this look is still to
// come.
//
// Crash order: a sender that dies between its two steps leaves a bit that the owner takes with the
// next ring from the same word; the dead sender itself is reported by its death, not by its bit
// (ring_for_the_dead in waking.h). No step leaves a state that stops another sender.
template <template <class> class Atomic>
struct DoorbellT {
  static constexpr uint32_t kWordCount = kEndpointsMax / 64;

  Atomic<uint64_t> summary{0};
  Atomic<uint64_t> words[kWordCount]{};

  // Called by sender `index` (below kEndpointsMax) after it has published. Sequentially consistent,
  // so a look at the owner's wake word afterwards cannot overtake it. True if the bit was not set
  // before.
  bool ring(uint32_t index) {
    const uint64_t bit = uint64_t{1} << (index % 64);
    const uint32_t word = index / 64;
    // SYNC: pairs with the exchange of the word in take(): who takes the bit sees what was
    // published.
    const bool is_new = (words[word].fetch_or(bit, std::memory_order_seq_cst) & bit) == 0;
    const uint64_t summary_bit = uint64_t{1} << word;
    if ((summary.load(std::memory_order_seq_cst) & summary_bit) == 0) {
      summary.fetch_or(summary_bit, std::memory_order_seq_cst);
    }
    return is_new;
  }

  // Called by the owner: clears all bits and calls each_index(index) for those that were set. The
  // bits are foreign input: an index may belong to nobody the owner knows.
  template <class F>
  void take(F each_index) {
    if (!any()) return;
    uint64_t pending_words = summary.exchange(0, std::memory_order_seq_cst);
    while (pending_words != 0) {
      const auto word = static_cast<uint32_t>(std::countr_zero(pending_words));
      pending_words &= pending_words - 1;
      // SYNC: pairs with the fetch_or in ring().
      uint64_t bits = words[word].exchange(0, std::memory_order_seq_cst);
      while (bits != 0) {
        const auto bit = static_cast<uint32_t>(std::countr_zero(bits));
        bits &= bits - 1;
        each_index(word * 64 + bit);
      }
    }
  }

  // Whether take() has something to take.
  bool any() const { return summary.load(std::memory_order_seq_cst) != 0; }
};

using Doorbell = DoorbellT<std::atomic>;

}  // namespace thornback::shm
