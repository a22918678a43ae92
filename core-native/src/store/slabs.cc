#include "store/slabs.h"

#include <array>
#include <bit>

#include "base/check.h"

namespace thornback::store {

namespace {

// Division of a position in a span by the cell size, both in granules: a multiplication and a
// shift. Exact for positions below 1024, because the reciprocals are rounded up at 2^20.
constexpr uint32_t kReciprocalBits = 20;

constexpr std::array<uint32_t, kSizeClasses> make_reciprocals() {
  std::array<uint32_t, kSizeClasses> table{};
  for (uint32_t index = 0; index < kSizeClasses; ++index) {
    const auto granules = static_cast<uint32_t>(class_bytes(index) / kCellGranule);
    table[index] = ((1U << kReciprocalBits) + granules - 1) / granules;
  }
  return table;
}
constexpr std::array<uint32_t, kSizeClasses> kReciprocals = make_reciprocals();

constexpr bool reciprocals_are_exact() {
  for (uint32_t index = 0; index < kSizeClasses; ++index) {
    const auto granules = static_cast<uint32_t>(class_bytes(index) / kCellGranule);
    for (uint32_t position = 0; position < kSpanBytes / kCellGranule; position += granules) {
      if ((position * kReciprocals[index]) >> kReciprocalBits != position / granules) return false;
    }
  }
  return true;
}
static_assert(reciprocals_are_exact());

}  // namespace

Slabs::Slabs(Pages& pages, uint64_t offset, uint64_t bytes)
    : pages_(pages),
      offset_(offset),
      spans_max_(static_cast<uint32_t>(bytes / kSpanBytes)),
      spans_(spans_max_) {}

Status Slabs::add_span() {
  uint32_t span = 0;
  if (cold_ != 0) {
    span = cold_ - 1;
  } else {
    TBK_CHECK(spans_used_ < spans_max_);
    span = spans_used_;
  }
  TBK_RETURN_IF_ERROR(pages_.commit(offset_ + span * kSpanBytes, kSpanBytes));
  if (cold_ != 0) {
    cold_ = spans_[span].next;
  } else {
    ++spans_used_;
  }
  spans_[span].next = warm_;
  warm_ = span + 1;
  ++warm_count_;
  return Status::ok();
}

bool Slabs::adopt_warm_span(uint32_t size_class) {
  if (warm_ == 0) return false;
  const uint32_t index = warm_ - 1;
  Span& span = spans_[index];
  warm_ = span.next;
  --warm_count_;
  const auto cells = static_cast<uint32_t>(kSpanBytes / class_bytes(size_class));
  span.free_words = 0;
  for (uint32_t word = 0; word < kWords; ++word) {
    const uint32_t left = cells > word * 64 ? cells - word * 64 : 0;
    span.free_cells[word] = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    if (left != 0) span.free_words |= 1U << word;
  }
  span.free_count = static_cast<uint16_t>(cells);
  span.cell_count = static_cast<uint16_t>(cells);
  span.size_class = size_class;
  push_partial(index);
  return true;
}

// The free cell with the lowest address: what was freed last in a span is near it and warm, and
// spans fill from one end.
uint64_t Slabs::take_cell(uint32_t size_class) {
  const uint32_t index = partial_[size_class] - 1;
  Span& span = spans_[index];
  const auto word = static_cast<uint32_t>(std::countr_zero(span.free_words));
  const auto bit = static_cast<uint32_t>(std::countr_zero(span.free_cells[word]));
  span.free_cells[word] &= span.free_cells[word] - 1;
  if (span.free_cells[word] == 0) span.free_words &= span.free_words - 1;
  if (--span.free_count == 0) remove_partial(index);
  return offset_ + index * kSpanBytes + uint64_t{word * 64 + bit} * class_bytes(size_class);
}

void Slabs::free(uint64_t offset) {
  const auto index = static_cast<uint32_t>((offset - offset_) / kSpanBytes);
  Span& span = spans_[index];
  const auto granule = static_cast<uint32_t>((offset - offset_) % kSpanBytes / kCellGranule);
  const uint32_t cell = (granule * kReciprocals[span.size_class]) >> kReciprocalBits;
  const uint64_t mask = uint64_t{1} << (cell % 64);
  TBK_CHECK(cell < span.cell_count && (span.free_cells[cell / 64] & mask) == 0);
  span.free_cells[cell / 64] |= mask;
  span.free_words |= 1U << (cell / 64);
  if (++span.free_count == 1) {
    if (const uint32_t head = partial_[span.size_class]; head != 0) release_if_empty(head - 1);
    push_partial(index);
  }
  // The last span of a class stays with it even when it is empty, so that an object that comes and
  // goes alone does not have its span cut anew each time.
  if (span.previous != 0 || span.next != 0) release_if_empty(index);
}

void Slabs::release_if_empty(uint32_t index) {
  Span& span = spans_[index];
  if (span.free_count < span.cell_count) return;
  remove_partial(index);
  span.next = warm_;
  warm_ = index + 1;
  ++warm_count_;
}

void Slabs::push_partial(uint32_t index) {
  Span& span = spans_[index];
  uint32_t& head = partial_[span.size_class];
  span.previous = 0;
  span.next = head;
  if (head != 0) spans_[head - 1].previous = index + 1;
  head = index + 1;
}

void Slabs::remove_partial(uint32_t index) {
  Span& span = spans_[index];
  if (span.previous != 0) {
    spans_[span.previous - 1].next = span.next;
  } else {
    partial_[span.size_class] = span.next;
  }
  if (span.next != 0) spans_[span.next - 1].previous = span.previous;
}

uint64_t Slabs::trim(uint64_t bytes) {
  if (warm_bytes() < bytes) {
    // A class keeps an empty span only alone in its list.
    for (const uint32_t head : partial_) {
      if (head != 0) release_if_empty(head - 1);
    }
  }
  uint64_t given = 0;
  while (given < bytes && warm_ != 0) {
    const uint32_t index = warm_ - 1;
    if (!pages_.decommit(offset_ + index * kSpanBytes, kSpanBytes)) break;
    warm_ = spans_[index].next;
    --warm_count_;
    spans_[index].next = cold_;
    cold_ = index + 1;
    given += kSpanBytes;
  }
  return given;
}

}  // namespace thornback::store
