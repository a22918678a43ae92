// The few MessagePack shapes that the core itself writes and reads: argument lists for the agent,
// addresses, error maps.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace thornback::call {

class MsgpackWriter {
 public:
  void array(uint32_t count) { head(count, 0x90, 15, 0xdc); }
  void map(uint32_t count) { head(count, 0x80, 15, 0xde); }
  void nil() { bytes_.push_back(0xc0); }
  void boolean(bool value) { bytes_.push_back(value ? 0xc3 : 0xc2); }
  void number(uint64_t value) {
    if (value < 128) return bytes_.push_back(static_cast<uint8_t>(value));
    if (value <= UINT8_MAX) return big_endian(0xcc, value, 1);
    if (value <= UINT16_MAX) return big_endian(0xcd, value, 2);
    if (value <= UINT32_MAX) return big_endian(0xce, value, 4);
    big_endian(0xcf, value, 8);
  }
  void text(std::string_view value) {
    if (value.size() < 32) {
      bytes_.push_back(static_cast<uint8_t>(0xa0 | value.size()));
    } else if (value.size() <= UINT8_MAX) {
      big_endian(0xd9, value.size(), 1);
    } else {
      big_endian(value.size() <= UINT16_MAX ? 0xda : 0xdb, value.size(),
                 value.size() <= UINT16_MAX ? 2 : 4);
    }
    raw(value);
  }
  void binary(const uint8_t* data, uint8_t size) {
    big_endian(0xc4, size, 1);
    bytes_.insert(bytes_.end(), data, data + size);
  }
  // Wraps `body` as an extension value.
  void extension(uint8_t code, const std::vector<uint8_t>& body) {
    big_endian(0xc9, body.size(), 4);
    bytes_.push_back(code);
    bytes_.insert(bytes_.end(), body.begin(), body.end());
  }
  void raw(std::string_view bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  void head(uint32_t count, uint8_t fix, uint32_t fix_max, uint8_t wide) {
    if (count <= fix_max) return bytes_.push_back(static_cast<uint8_t>(fix | count));
    big_endian(wide, count, 2);
  }
  void big_endian(uint8_t tag, uint64_t value, int width) {
    bytes_.push_back(tag);
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
      bytes_.push_back(static_cast<uint8_t>(value >> shift));
  }

  std::vector<uint8_t> bytes_;
};

// Reads a MessagePack array of unsigned integers, such as an address; none when it is anything
// else.
inline std::optional<std::vector<uint64_t>> read_numbers(const uint8_t* data, uint64_t size) {
  if (size == 0 || (data[0] & 0xf0) != 0x90) return std::nullopt;
  const uint32_t count = data[0] & 0x0f;
  std::vector<uint64_t> numbers;
  uint64_t at = 1;
  for (uint32_t i = 0; i < count; ++i) {
    if (at >= size) return std::nullopt;
    const uint8_t tag = data[at++];
    if (tag < 128) {
      numbers.push_back(tag);
      continue;
    }
    if (tag < 0xcc || tag > 0xcf) return std::nullopt;
    const uint64_t width = uint64_t{1} << (tag - 0xcc);
    if (size - at < width) return std::nullopt;
    uint64_t value = 0;
    for (uint64_t byte = 0; byte < width; ++byte) value = value << 8 | data[at++];
    numbers.push_back(value);
  }
  return numbers;
}

}  // namespace thornback::call
