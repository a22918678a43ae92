// A growing byte buffer that writes big-endian MessagePack fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace thornback::python {

class ByteWriter {
 public:
  ByteWriter() = default;
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;
  ~ByteWriter() { std::free(data_); }

  uint8_t* data() { return data_; }
  size_t size() const { return size_; }
  /// Forgets what lies behind `size`; keeps the memory, unless it is much more than calls usually
  /// need.
  void truncate(size_t size) {
    size_ = size;
    if (size == 0 && capacity_ > kKeptBytesMax) {
      std::free(data_);
      data_ = nullptr;
      capacity_ = 0;
    }
  }

  /// Room for `count` more bytes; they become part of the content by `advance`.
  uint8_t* room(size_t count) {
    if (capacity_ - size_ < count) grow(count);
    return data_ + size_;
  }
  void advance(size_t count) { size_ += count; }

  void u8(uint8_t value) {
    *room(1) = value;
    size_ += 1;
  }
  void bytes(const void* from, size_t count) {
    if (count == 0) return;
    std::memcpy(room(count), from, count);
    size_ += count;
  }
  template <typename T>
  void tagged(uint8_t tag, T value) {
    uint8_t* to = room(1 + sizeof(T));
    to[0] = tag;
    store(to + 1, value);
    size_ += 1 + sizeof(T);
  }
  template <typename T>
  static void store(uint8_t* to, T value) {
    for (size_t i = 0; i < sizeof(T); ++i) {
      to[i] = static_cast<uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
    }
  }

  /// Headers of lists and maps: the short form holds counts below 16.
  void container(uint8_t short_tag, uint8_t tag16, uint8_t tag32, size_t count) {
    if (count < 16) {
      u8(static_cast<uint8_t>(short_tag | count));
    } else if (count <= 0xFFFF) {
      tagged(tag16, static_cast<uint16_t>(count));
    } else {
      tagged(tag32, static_cast<uint32_t>(count));
    }
  }
  void list_header(size_t count) { container(0x90, 0xDC, 0xDD, count); }
  void map_header(size_t count) { container(0x80, 0xDE, 0xDF, count); }

  void str(const char* text, size_t size) {
    if (size < 32) {
      u8(static_cast<uint8_t>(0xA0 | size));
    } else if (size <= 0xFF) {
      tagged(0xD9, static_cast<uint8_t>(size));
    } else if (size <= 0xFFFF) {
      tagged(0xDA, static_cast<uint16_t>(size));
    } else {
      tagged(0xDB, static_cast<uint32_t>(size));
    }
    bytes(text, size);
  }
  void bin_header(size_t size) {
    if (size <= 0xFF) {
      tagged(0xC4, static_cast<uint8_t>(size));
    } else if (size <= 0xFFFF) {
      tagged(0xC5, static_cast<uint16_t>(size));
    } else {
      tagged(0xC6, static_cast<uint32_t>(size));
    }
  }
  void unsigned_integer(uint64_t value) {
    if (value < 0x80) {
      u8(static_cast<uint8_t>(value));
    } else if (value <= 0xFF) {
      tagged(0xCC, static_cast<uint8_t>(value));
    } else if (value <= 0xFFFF) {
      tagged(0xCD, static_cast<uint16_t>(value));
    } else if (value <= 0xFFFFFFFF) {
      tagged(0xCE, static_cast<uint32_t>(value));
    } else {
      tagged(0xCF, value);
    }
  }
  void integer(int64_t value) {
    if (value >= 0) {
      unsigned_integer(static_cast<uint64_t>(value));
    } else if (value >= -32) {
      u8(static_cast<uint8_t>(value));
    } else if (value >= INT8_MIN) {
      tagged(0xD0, static_cast<uint8_t>(value));
    } else if (value >= INT16_MIN) {
      tagged(0xD1, static_cast<uint16_t>(value));
    } else if (value >= INT32_MIN) {
      tagged(0xD2, static_cast<uint32_t>(value));
    } else {
      tagged(0xD3, static_cast<uint64_t>(value));
    }
  }
  void float64(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, 8);
    tagged(0xCB, bits);
  }

  /// Starts an extension whose size is not known yet; returns where its body begins. The three
  /// bytes kept for the header fit most bodies; `end_extension` moves the body when its shortest
  /// header has another size.
  size_t begin_extension() {
    room(kExtensionHeader);
    size_ += kExtensionHeader;
    return size_;
  }
  void end_extension(size_t body, int8_t code);

 private:
  static constexpr size_t kExtensionHeader = 3;
  static constexpr size_t kKeptBytesMax = 1 << 20;

  void grow(size_t count) {
    size_t wanted = capacity_ < 256 ? 256 : capacity_ * 2;
    while (wanted - size_ < count) wanted *= 2;
    void* moved = std::realloc(data_, wanted);
    if (moved == nullptr) throw std::bad_alloc();
    data_ = static_cast<uint8_t*>(moved);
    capacity_ = wanted;
  }

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

inline void ByteWriter::end_extension(size_t body, int8_t code) {
  size_t count = size_ - body;
  uint8_t header[6];
  size_t header_size;
  bool fixed = count == 1 || count == 2 || count == 4 || count == 8 || count == 16;
  if (fixed) {
    header[0] = static_cast<uint8_t>(0xD4 + __builtin_ctzll(count));
    header_size = 2;
  } else if (count <= 0xFF) {
    header[0] = 0xC7;
    header[1] = static_cast<uint8_t>(count);
    header_size = 3;
  } else if (count <= 0xFFFF) {
    header[0] = 0xC8;
    store(header + 1, static_cast<uint16_t>(count));
    header_size = 4;
  } else {
    header[0] = 0xC9;
    store(header + 1, static_cast<uint32_t>(count));
    header_size = 6;
  }
  header[header_size - 1] = static_cast<uint8_t>(code);
  size_t start = body - kExtensionHeader;
  if (header_size != kExtensionHeader) {
    room(3);
    std::memmove(data_ + start + header_size, data_ + body, count);
    size_ = start + header_size + count;
  }
  std::memcpy(data_ + start, header, header_size);
}

}  // namespace thornback::python
