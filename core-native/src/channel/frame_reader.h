// Reads a frame's structs and bytes in order, never past its end. Frames lie in memory that a peer
// can still write to: each struct is copied out once and only the copy is looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace thornback::channel {

class FrameReader {
 public:
  FrameReader(const std::byte* data, uint64_t size) : data_(data), left_(size) {}

  template <typename Struct>
  bool read(Struct& out) {
    if (left_ < sizeof(Struct)) return false;
    std::memcpy(static_cast<void*>(&out), data_, sizeof(Struct));
    skip(sizeof(Struct));
    return true;
  }

  // Null when fewer than `size` bytes are left.
  const std::byte* take(uint64_t size) {
    if (left_ < size) return nullptr;
    const std::byte* bytes = data_;
    skip(size);
    return bytes;
  }

  uint64_t left() const { return left_; }

 private:
  void skip(uint64_t size) {
    data_ += size;
    left_ -= size;
  }

  const std::byte* data_;
  uint64_t left_;
};

}  // namespace thornback::channel
