// The sizes that small objects are rounded up to: multiples of 64 up to 2 KiB, then eight sizes per
// doubling up to 16 KiB. So an object of at most 2 KiB wastes at most 63 bytes, a larger one an
// eighth.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace thornback::store {

inline constexpr uint64_t kCellGranule = 64;
inline constexpr uint64_t kFineBytesMax = 2048;
inline constexpr uint64_t kSmallBytesMax = 16384;
inline constexpr uint32_t kFineClasses = kFineBytesMax / kCellGranule;
inline constexpr uint32_t kStepsPerDoubling = 8;
inline constexpr uint32_t kSizeClasses = kFineClasses + 3 * kStepsPerDoubling;

// The class of an object of `size` bytes, at most kSmallBytesMax. Nothing is as large as one byte.
constexpr uint32_t size_class(uint64_t size) {
  if (size == 0) return 0;
  if (size <= kFineBytesMax) return static_cast<uint32_t>((size - 1) / kCellGranule);
  // (2^k, 2^(k+1)] for k = 11, 12, 13, in steps of 2^(k-3).
  const auto k = static_cast<uint32_t>(std::bit_width(size - 1)) - 1;
  const auto step = static_cast<uint32_t>((size - 1) >> (k - 3)) - kStepsPerDoubling;
  return kFineClasses + (k - 11) * kStepsPerDoubling + step;
}

constexpr uint32_t class_bytes(uint32_t index) {
  if (index < kFineClasses) return (index + 1) * static_cast<uint32_t>(kCellGranule);
  const uint32_t k = 11 + (index - kFineClasses) / kStepsPerDoubling;
  const uint32_t step = (index - kFineClasses) % kStepsPerDoubling;
  return (step + kStepsPerDoubling + 1) << (k - 3);
}

static_assert(size_class(1) == 0 && size_class(64) == 0 && size_class(65) == 1);
static_assert(size_class(kFineBytesMax) == kFineClasses - 1);
static_assert(size_class(kSmallBytesMax) == kSizeClasses - 1);
static_assert(class_bytes(kSizeClasses - 1) == kSmallBytesMax);
static_assert(class_bytes(size_class(2049)) == 2304 && class_bytes(size_class(2304)) == 2304);
static_assert(class_bytes(size_class(2305)) == 2560 && class_bytes(size_class(8193)) == 9216);

}  // namespace thornback::store
