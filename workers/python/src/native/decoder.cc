#include "decoder.h"

#include <cstring>

#include "state.h"

namespace thornback::python {

bool Decoder::malformed(const char* what) {
  if (PyErr_Occurred() == nullptr) raise_code("PROTOCOL_ERROR", "a value is malformed: %s", what);
  return false;
}

/// Checks the frame, if there is one, and finds the head.
bool Decoder::open() {
  if (size_ == 0) return malformed("it is empty");
  if (base_[0] != 0xC1) {
    at_ = base_;
    end_ = base_ + size_;
    return true;
  }
  uint32_t words[4];
  if (size_ < sizeof words) return malformed("the frame is cut");
  std::memcpy(words, base_, sizeof words);
  if (words[0] != 0x014254C1) return malformed("unknown frame or format version");
  if (words[1] == 0 || words[3] != 0) return malformed("the frame's header");
  uint64_t head = 16 + uint64_t{16} * words[1];
  if (head > size_ || words[2] > size_ - head)
    return malformed("the frame is longer than the blob");
  uint64_t last = head + words[2];
  rows_ = base_ + 16;
  buffer_count_ = words[1];
  for (uint32_t i = 0; i < buffer_count_; ++i) {
    uint64_t row[2];
    std::memcpy(row, rows_ + uint64_t{16} * i, sizeof row);
    bool fits = row[0] >= head + words[2] && row[0] <= size_ && row[1] <= size_ - row[0];
    if (!fits || row[0] % 64 != 0) return malformed("a buffer lies outside the blob");
    if (row[0] + row[1] > last) last = row[0] + row[1];
  }
  if (last != size_) return malformed("bytes follow the last buffer");
  at_ = base_ + head;
  end_ = at_ + words[2];
  return true;
}

PyObject* Decoder::value() {
  if (!open()) return nullptr;
  Owned result(any(0));
  if (result && at_ != end_) return bad("bytes follow the value");
  return result.release();
}

bool Decoder::arguments(CallArguments& out) {
  if (!open()) return false;
  bool with_keywords =
      at_ < end_ && ((*at_ >= 0xC7 && *at_ <= 0xC9) || (*at_ >= 0xD4 && *at_ <= 0xD8));
  if (with_keywords) {
    uint8_t tag = *at_++;
    size_t size = tag >= 0xD4 ? size_t{1} << (tag - 0xD4) : 0;
    if (tag < 0xD4) {
      size_t width = size_t{1} << (tag - 0xC7);
      if (!has(width)) return malformed("it is cut");
      size = big_endian(width);
    }
    size_t pair = 0;
    if (!has(size + 1) || *at_++ != 11 || !has(size)) return malformed("no call arguments");
    if (static_cast<size_t>(end_ - at_) != size) return malformed("bytes follow the arguments");
    if (!list_header(&pair) || pair != 2) return malformed("no call arguments");
  }
  size_t count = 0;
  int depth = with_keywords ? 2 : 1;
  if (!list_header(&count)) return malformed("no call arguments");
  for (size_t i = 0; i < count; ++i) {
    PyObject* item = any(depth);
    if (item == nullptr) return false;
    out.add(item);
  }
  out.positional = count;
  if (with_keywords) {
    if (!map_header(&count)) return malformed("no keywords");
    if (count > 0) {
      out.keyword_names = PyTuple_New(static_cast<Py_ssize_t>(count));
      if (out.keyword_names == nullptr) return false;
    }
    for (size_t i = 0; i < count; ++i) {
      PyObject* name = any(depth, Place::kKey);
      if (name == nullptr) return false;
      PyTuple_SET_ITEM(out.keyword_names, static_cast<Py_ssize_t>(i), name);
      if (!PyUnicode_CheckExact(name)) return malformed("a keyword is no string");
      PyObject* item = any(depth);
      if (item == nullptr) return false;
      out.add(item);
    }
  }
  return at_ == end_ || malformed("bytes follow the arguments");
}

uint64_t Decoder::big_endian(size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | *at_++;
  return value;
}

bool Decoder::list_header(size_t* count) {
  if (!has(1)) return malformed("it is cut");
  uint8_t tag = *at_;
  if (tag >= 0x90 && tag <= 0x9F) {
    at_ += 1;
    *count = tag & 0x0F;
  } else if (tag == 0xDC || tag == 0xDD) {
    at_ += 1;
    size_t width = tag == 0xDC ? 2 : 4;
    if (!has(width)) return malformed("it is cut");
    *count = big_endian(width);
  } else {
    return malformed("a list was expected");
  }
  return has(*count) || malformed("a list is longer than the blob");
}

bool Decoder::map_header(size_t* count) {
  if (!has(1)) return malformed("it is cut");
  uint8_t tag = *at_;
  if (tag >= 0x80 && tag <= 0x8F) {
    at_ += 1;
    *count = tag & 0x0F;
  } else if (tag == 0xDE || tag == 0xDF) {
    at_ += 1;
    size_t width = tag == 0xDE ? 2 : 4;
    if (!has(width)) return malformed("it is cut");
    *count = big_endian(width);
  } else {
    return malformed("a map was expected");
  }
  return has(*count * 2) || malformed("a map is longer than the blob");
}

PyObject* Decoder::any(int depth, Place place) {
  if (!has(1)) return bad("it is cut");
  uint8_t tag = *at_;
  if (tag < 0x80) {
    ++at_;
    return PyLong_FromLong(tag);
  }
  if (tag >= 0xE0) {
    ++at_;
    return PyLong_FromLong(static_cast<int8_t>(tag));
  }
  if (tag >= 0xA0 && tag < 0xC0) {
    ++at_;
    return text(tag & 0x1F, place);
  }
  if (tag < 0xA0 || (tag >= 0xDC && tag <= 0xDF)) {
    if (place == Place::kKey) return bad("a key or member is a list or a map");
    size_t count = 0;
    bool is_list = (tag & 0xF0) == 0x90 || tag == 0xDC || tag == 0xDD;
    if (!(is_list ? list_header(&count) : map_header(&count))) return nullptr;
    if (depth >= kDepthMax) return bad("it is nested too deeply");
    return is_list ? list(count, depth + 1) : map(count, depth + 1);
  }
  ++at_;
  switch (tag) {
    case 0xC0: Py_RETURN_NONE;
    case 0xC2: Py_RETURN_FALSE;
    case 0xC3: Py_RETURN_TRUE;
    case 0xCA: return float32();
    case 0xCB: return float64();
    case 0xCC:
    case 0xCD:
    case 0xCE:
    case 0xCF: return unsigned_integer(1 << (tag - 0xCC));
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3: return signed_integer(1 << (tag - 0xD0));
    default: return sized(tag, depth, place);
  }
}

/// Kinds whose header holds their size: text and bytes of 8 to 32 bits of length, extensions.
PyObject* Decoder::sized(uint8_t tag, int depth, Place place) {
  if (tag == 0xC1) return bad("an unused code");
  if (tag >= 0xD4 && tag <= 0xD8) return extension(size_t{1} << (tag - 0xD4), depth, place);
  size_t width = tag >= 0xD9 ? size_t{1} << (tag - 0xD9) : size_t{1} << ((tag - 0xC4) % 3);
  if (!has(width)) return bad("it is cut");
  size_t size = big_endian(width);
  if (tag >= 0xD9) return text(size, place);
  return tag <= 0xC6 ? bytes(size) : extension(size, depth, place);
}

PyObject* Decoder::float32() {
  if (!has(4)) return bad("it is cut");
  auto bits = static_cast<uint32_t>(big_endian(4));
  float number;
  std::memcpy(&number, &bits, 4);
  return PyFloat_FromDouble(static_cast<double>(number));
}

PyObject* Decoder::float64() {
  if (!has(8)) return bad("it is cut");
  uint64_t bits = big_endian(8);
  double number;
  std::memcpy(&number, &bits, 8);
  return PyFloat_FromDouble(number);
}

PyObject* Decoder::unsigned_integer(int width) {
  if (!has(static_cast<size_t>(width))) return bad("it is cut");
  return PyLong_FromUnsignedLongLong(big_endian(static_cast<size_t>(width)));
}

PyObject* Decoder::signed_integer(int width) {
  if (!has(static_cast<size_t>(width))) return bad("it is cut");
  int shift = 64 - 8 * width;
  uint64_t bits = big_endian(static_cast<size_t>(width)) << shift;
  return PyLong_FromLongLong(static_cast<int64_t>(bits) >> shift);
}

/// Map keys repeat from call to call: short ones are found in a small table instead of being made
/// again.
static PyObject* cached_key(const uint8_t* data, size_t size) {
  constexpr size_t kEntries = 256;
  static PyObject* table[kEntries];
  uint32_t hash = 2166136261U;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ data[i]) * 16777619U;
  PyObject*& entry = table[(hash ^ hash >> 16) % kEntries];
  if (entry != nullptr && static_cast<size_t>(PyUnicode_GET_LENGTH(entry)) == size &&
      std::memcmp(PyUnicode_DATA(entry), data, size) == 0) {
    return Py_NewRef(entry);
  }
  PyObject* made = PyUnicode_DecodeUTF8(reinterpret_cast<const char*>(data),
                                        static_cast<Py_ssize_t>(size), nullptr);
  if (made != nullptr && PyUnicode_IS_COMPACT_ASCII(made)) {
    PyUnicode_InternInPlace(&made);
    Py_XSETREF(entry, Py_NewRef(made));
  }
  return made;
}

PyObject* Decoder::text(size_t size, Place place) {
  if (!has(size)) return bad("it is cut");
  const uint8_t* start = at_;
  at_ += size;
  PyObject* made = place == Place::kKey && size <= 24
                       ? cached_key(start, size)
                       : PyUnicode_DecodeUTF8(reinterpret_cast<const char*>(start),
                                              static_cast<Py_ssize_t>(size), nullptr);
  if (made == nullptr && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
    PyErr_Clear();
    return bad("a string is not UTF-8");
  }
  return made;
}

PyObject* Decoder::bytes(size_t size) {
  if (!has(size)) return bad("it is cut");
  const uint8_t* start = at_;
  at_ += size;
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(start),
                                   static_cast<Py_ssize_t>(size));
}

PyObject* Decoder::list(size_t count, int depth) {
  Owned result(PyList_New(static_cast<Py_ssize_t>(count)));
  if (!result) return nullptr;
  for (size_t i = 0; i < count; ++i) {
    PyObject* item = any(depth);
    if (item == nullptr) return nullptr;
    PyList_SET_ITEM(result.get(), static_cast<Py_ssize_t>(i), item);
  }
  return result.release();
}

PyObject* Decoder::map(size_t count, int depth) {
  Owned result(PyDict_New());
  if (!result) return nullptr;
  for (size_t i = 0; i < count; ++i) {
    Owned key(any(depth, Place::kKey));
    if (!key) return nullptr;
    Owned item(any(depth));
    if (!item) return nullptr;
    if (PyDict_SetItem(result.get(), key.get(), item.get()) < 0) {
      if (!PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
      PyErr_Clear();
      return bad("a key cannot be hashed");
    }
  }
  return result.release();
}

}  // namespace thornback::python
