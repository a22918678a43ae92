// A byte ring in shared memory: one producer writes frames, one consumer reads them, in order, each
// process with its own end. Not for several producers: a channel has one ring per direction.
//
//   position:  released head        read         published tail       claimed
//              v                    v            v                    v
//     ---------+--------------------+------------+--------------------+---------  (offset =
//     position
//      free    | frames being used  | unread     | being written      | free       modulo capacity)
//
//   frame:     | u32 size | u16 kind | u16 flags | body, filled up to a multiple of 8 |
//
// A frame never wraps: when it does not fit before the end of the memory, a frame of size
// kRingPadding fills the rest and the frame starts at offset 0.
//
// Crash order: a frame exists from the moment `tail` covers it and not before, and `tail` is one
// store. A producer that dies earlier leaves bytes that nobody reads. A consumer that dies leaves
// `head` behind, so nothing it may have been using is overwritten. Neither end ever waits for the
// other here.
//
// Each end takes the words of the other end for foreign input: they are read once, checked, and a
// value that no correct peer writes makes the end invalid for good.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/check.h"

namespace thornback::shm {

// Each word has a pair of cache lines of its own (the prefetcher moves lines in pairs).
template <template <class> class Atomic>
struct RingHeaderT {
  alignas(128) Atomic<uint64_t> tail{0};  // end of the published frames; only the producer writes
  alignas(128) Atomic<uint64_t> head{0};  // end of the room given back; only the consumer writes
  // The head position the producer waits for, 0 while it does not wait. The producer sets it, the
  // consumer exchanges it to 0 when the position is reached.
  alignas(128) Atomic<uint64_t> producer_waiting{0};
};
using RingHeader = RingHeaderT<std::atomic>;
static_assert(std::is_standard_layout_v<RingHeader> && sizeof(RingHeader) == 384);
static_assert(std::atomic<uint64_t>::is_always_lock_free);
static_assert(std::endian::native == std::endian::little);

inline constexpr uint64_t kRingCapacityMin = 256;
inline constexpr uint64_t kRingFrameHeaderBytes = 8;
inline constexpr uint32_t kRingPadding = 0xffffffff;

// The largest body for which room is certain to come: with padding before it, it takes up to half.
constexpr uint64_t ring_frame_bytes_max(uint64_t capacity) {
  return capacity / 4 - kRingFrameHeaderBytes;
}
constexpr uint64_t ring_record_bytes(uint64_t body_bytes) {
  return kRingFrameHeaderBytes + ((body_bytes + 7) & ~uint64_t{7});
}
// What positions must satisfy whoever wrote them.
constexpr bool ring_positions_are_valid(uint64_t tail, uint64_t head, uint64_t capacity) {
  return tail % 8 == 0 && head % 8 == 0 && tail - head <= capacity;
}
constexpr bool ring_shape_is_valid(uint64_t capacity) {
  return std::has_single_bit(capacity) && capacity >= kRingCapacityMin &&
         ring_frame_bytes_max(capacity) < kRingPadding;
}

template <template <class> class Atomic = std::atomic>
class RingProducer {
 public:
  using Header = RingHeaderT<Atomic>;

  // Continues at the positions in the header. `data` is 8-byte aligned and `capacity` a power of
  // two.
  RingProducer(Header* header, std::byte* data, uint64_t capacity)
      : header_(header), data_(data), capacity_(capacity) {
    TBK_CHECK(ring_shape_is_valid(capacity) && reinterpret_cast<uintptr_t>(data) % 8 == 0);
    published_ = claimed_ = header->tail.load(std::memory_order_acquire);
    head_ = header->head.load(std::memory_order_acquire);
    valid_ = ring_positions_are_valid(published_, head_, capacity);
    if (!valid_) head_ = claimed_ - capacity_;  // no room, ever
  }

  // False once the consumer's words made no sense; no claim succeeds from then on.
  bool is_valid() const { return valid_; }
  uint64_t frame_bytes_max() const { return ring_frame_bytes_max(capacity_); }

  // Room for a frame with a body of `size` bytes (at most frame_bytes_max()), 8-byte aligned, or
  // nullptr when the ring is full. Several claims may precede one publish; a claimed frame is
  // invisible until then, and its body must be complete by then.
  std::byte* claim(uint32_t size, uint16_t kind, uint16_t flags) {
    TBK_CHECK(size <= frame_bytes_max());
    const uint64_t padding = padding_before(size);
    const uint64_t needed = padding + ring_record_bytes(size);
    if (claimed_ + needed - head_ > capacity_ && !look_for_room(needed)) return nullptr;
    if (padding != 0) store_frame_header(claimed_, kRingPadding, 0, 0);
    const uint64_t start = claimed_ + padding;
    store_frame_header(start, size, kind, flags);
    claimed_ += needed;
    return data_ + (start & (capacity_ - 1)) + kRingFrameHeaderBytes;
  }

  // Makes all claimed frames visible; false if there was nothing to publish.
  bool publish() {
    if (claimed_ == published_) return false;
    published_ = claimed_;
    // SYNC: pairs with the acquire load of `tail` in RingConsumer::look_for_frames: who sees the
    // new tail sees the frames before it.
    header_->tail.store(published_, std::memory_order_release);
    return true;
  }

  // After claim failed and everything claimed before is published: leaves a note for the consumer
  // and looks again. True if there is room now (claim again); false if the consumer's release()
  // will report that the producer must be rung.
  bool wait_for_room(uint32_t size) {
    const uint64_t needed = padding_before(size) + ring_record_bytes(size);
    uint64_t wanted_head = claimed_ + needed - capacity_;
    // Being woken for each frame that leaves a full ring would cost a wake-up per frame.
    const uint64_t half_empty_head = published_ - capacity_ / 2;
    if (static_cast<int64_t>(half_empty_head - wanted_head) > 0) wanted_head = half_empty_head;
    // SYNC: Dekker with RingConsumer::release: this end writes the note and then reads the head,
    // the other writes the head and then reads the note, all sequentially consistent, so at least
    // one sees the other's write and room that comes now is never missed by both.
    header_->producer_waiting.store(wanted_head, std::memory_order_seq_cst);
    load_head(std::memory_order_seq_cst);
    if (!valid_ || claimed_ + needed - head_ > capacity_) return false;
    // A consumer that takes the note first rings once too often, which is harmless.
    header_->producer_waiting.store(0, std::memory_order_relaxed);
    return true;
  }

 private:
  uint64_t padding_before(uint32_t size) const {
    const uint64_t to_end = capacity_ - (claimed_ & (capacity_ - 1));
    return ring_record_bytes(size) > to_end ? to_end : 0;
  }

  bool look_for_room(uint64_t needed) {
    load_head(std::memory_order_acquire);
    return valid_ && claimed_ + needed - head_ <= capacity_;
  }

  void load_head(std::memory_order order) {
    if (!valid_) return;
    // SYNC: pairs with the store of `head` in RingConsumer::release: the consumer has finished with
    // the bytes before the new head, so they may be overwritten.
    const uint64_t head = header_->head.load(order);
    // The head moves forward only, and never over what was published.
    if (head % 8 != 0 || head - head_ > published_ - head_) {
      valid_ = false;
      head_ = claimed_ - capacity_;
      return;
    }
    head_ = head;
  }

  void store_frame_header(uint64_t position, uint32_t size, uint16_t kind, uint16_t flags) {
    std::byte* at = data_ + (position & (capacity_ - 1));
    const uint64_t word = size | uint64_t{kind} << 32 | uint64_t{flags} << 48;
    std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(at))
        .store(word, std::memory_order_relaxed);
  }

  Header* header_;
  std::byte* data_;
  uint64_t capacity_;
  uint64_t published_ = 0;
  uint64_t claimed_ = 0;
  uint64_t head_ =
      0;  // the last head seen: the other end's cache line is read only when room is short
  bool valid_ = false;
};

enum class RingRead { kFrame, kEmpty, kCorrupt };

struct RingFrame {
  uint16_t kind = 0;
  uint16_t flags = 0;
  const std::byte* data = nullptr;
  uint32_t size = 0;
};

template <template <class> class Atomic = std::atomic>
class RingConsumer {
 public:
  using Header = RingHeaderT<Atomic>;

  // Continues at the positions in the header. `data` is 8-byte aligned and `capacity` a power of
  // two.
  RingConsumer(Header* header, const std::byte* data, uint64_t capacity)
      : header_(header), data_(data), capacity_(capacity) {
    TBK_CHECK(ring_shape_is_valid(capacity) && reinterpret_cast<uintptr_t>(data) % 8 == 0);
    read_ = released_ = header->head.load(std::memory_order_acquire);
    tail_ = header->tail.load(std::memory_order_acquire);
    valid_ = ring_positions_are_valid(tail_, released_, capacity);
    if (!valid_) tail_ = read_;  // nothing to read, ever
  }

  // False once the producer's words or frames made no sense; next() gives kCorrupt from then on.
  bool is_valid() const { return valid_; }

  // The next frame in order. Its bytes stay valid until release(). They lie in memory that a faulty
  // producer can still change: who checks them copies them first.
  RingRead next(RingFrame& out) {
    if (read_ == tail_ && !look_for_frames()) return valid_ ? RingRead::kEmpty : RingRead::kCorrupt;
    uint64_t offset = read_ & (capacity_ - 1);
    uint64_t header = load_frame_header(offset);
    if (static_cast<uint32_t>(header) == kRingPadding) {
      const uint64_t padding = capacity_ - offset;
      // Padding is published together with the frame it makes room for, which starts at offset 0.
      if (offset == 0 || padding >= tail_ - read_) return corrupt();
      read_ += padding;
      offset = 0;
      header = load_frame_header(0);
    }
    const auto size = static_cast<uint32_t>(header);
    if (size > ring_frame_bytes_max(capacity_)) return corrupt();
    const uint64_t record = ring_record_bytes(size);
    if (record > tail_ - read_ || record > capacity_ - offset) return corrupt();
    read_ += record;
    out.kind = static_cast<uint16_t>(header >> 32);
    out.flags = static_cast<uint16_t>(header >> 48);
    out.data = data_ + offset + kRingFrameHeaderBytes;
    out.size = size;
    return RingRead::kFrame;
  }

  // Whether next() has something to say. For a pump that decides whether to look again or to sleep.
  bool has_frame() { return read_ != tail_ || look_for_frames() || !valid_; }

  // Gives the room of all frames read back; true if the producer waits for room and must be rung.
  bool release() {
    if (read_ == released_) return false;
    released_ = read_;
    // SYNC: pairs with RingProducer::load_head (the bytes may be overwritten from here on), and is
    // one half of the Dekker pair described in RingProducer::wait_for_room.
    header_->head.store(released_, std::memory_order_seq_cst);
    const uint64_t wanted_head = header_->producer_waiting.load(std::memory_order_seq_cst);
    if (wanted_head == 0 || static_cast<int64_t>(released_ - wanted_head) < 0) return false;
    return header_->producer_waiting.exchange(0, std::memory_order_relaxed) != 0;
  }

 private:
  bool look_for_frames() {
    if (!valid_) return false;
    // SYNC: pairs with the release store of `tail` in RingProducer::publish.
    const uint64_t tail = header_->tail.load(std::memory_order_acquire);
    // The tail moves forward only, and at most one capacity ahead of the room given back.
    if (!ring_positions_are_valid(tail, released_, capacity_) ||
        tail - released_ < tail_ - released_) {
      valid_ = false;
      return false;
    }
    tail_ = tail;
    return tail_ != read_;
  }

  // Read once: a faulty producer may change the word between two looks.
  uint64_t load_frame_header(uint64_t offset) const {
    auto* at = reinterpret_cast<uint64_t*>(const_cast<std::byte*>(data_ + offset));
    return std::atomic_ref<uint64_t>(*at).load(std::memory_order_relaxed);
  }

  RingRead corrupt() {
    valid_ = false;
    tail_ = read_;
    return RingRead::kCorrupt;
  }

  Header* header_;
  const std::byte* data_;
  uint64_t capacity_;
  uint64_t read_ = 0;
  uint64_t released_ = 0;
  uint64_t tail_ =
      0;  // the last tail seen: the other end's cache line is read only when it is reached
  bool valid_ = false;
};

}  // namespace thornback::shm
