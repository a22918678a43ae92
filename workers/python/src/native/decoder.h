// Reads blobs of the value format. The bytes come from other processes: nothing in them is trusted,
// whatever is wrong becomes ProtocolError.
#pragma once

#include <cstdint>
#include <vector>

#include "py.h"
#include "thornback.h"

namespace thornback::python {

/// The positional arguments and keywords of one call, laid out for a vectorcall.
class CallArguments {
 public:
  CallArguments() { slots_.reserve(9), slots_.push_back(nullptr); }
  CallArguments(const CallArguments&) = delete;
  CallArguments& operator=(const CallArguments&) = delete;
  ~CallArguments() {
    for (PyObject* item : slots_) Py_XDECREF(item);
    Py_XDECREF(keyword_names);
  }

  void add(PyObject* taken) { slots_.push_back(taken); }
  /// The positional arguments, then the keywords' values. The slot before the first may be used by
  /// a callee.
  PyObject* const* items() const { return slots_.data() + 1; }
  size_t count() const { return slots_.size() - 1; }
  PyObject* call(PyObject* callable) const {
    return PyObject_Vectorcall(callable, items(), positional | PY_VECTORCALL_ARGUMENTS_OFFSET,
                               keyword_names);
  }

  size_t positional = 0;
  PyObject* keyword_names = nullptr;  // owned tuple or null

 private:
  std::vector<PyObject*> slots_;  // owned
};

class Decoder {
 public:
  static constexpr int kDepthMax = 500;

  /// Reads a value of the session; views of stored bytes keep `value.hold` alive. With `resolve`,
  /// refs that stand for their values are replaced by them.
  explicit Decoder(const tbk_value_t& value, bool resolve = false)
      : base_(value.data),
        size_(value.size),
        refs_(value.refs),
        ref_count_(value.ref_count),
        hold_((value.flags & TBK_VALUE_STORED) != 0 ? value.hold : 0),
        resolve_(resolve) {}
  /// Reads bytes in private memory with a list of objects as ref table (tests).
  Decoder(const uint8_t* data, size_t size, PyObject* ref_list)
      : base_(data),
        size_(size),
        ref_list_(ref_list),
        ref_count_(static_cast<uint32_t>(PyList_GET_SIZE(ref_list))) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { Py_XDECREF(hold_object_); }

  PyObject* value();
  bool arguments(CallArguments& out);

  /// The object for an entry of the ref table, for pickles that hold refs.
  PyObject* ref_object(uint64_t index);
  /// The innermost decoding of this thread, or null.
  static Decoder* current();

 private:
  enum class Place : uint8_t { kValue, kKey };

  PyObject* any(int depth, Place place = Place::kValue);
  PyObject* sized(uint8_t tag, int depth, Place place);
  PyObject* float32();
  PyObject* float64();
  PyObject* unsigned_integer(int bytes);
  PyObject* signed_integer(int bytes);
  PyObject* text(size_t size, Place place);
  PyObject* bytes(size_t size);
  PyObject* list(size_t count, int depth);
  PyObject* map(size_t count, int depth);
  bool list_header(size_t* count);
  bool map_header(size_t* count);

  PyObject* extension(size_t size, int depth, Place place);
  PyObject* extension_body(int code, const uint8_t* end, int depth, Place place);
  PyObject* wide_integer(size_t size);
  PyObject* instant(size_t size);
  PyObject* tuple(int depth);
  PyObject* set(int depth, Place place);
  PyObject* array(int depth);
  PyObject* array_of(PyObject* dtype, PyObject* shape, uint64_t size);
  PyObject* python_object(int depth);
  PyObject* bytes_or_view();
  PyObject* large_bytes();
  PyObject* ref();
  PyObject* hooked(int code, PyObject* body);
  bool array_shape(Owned* shape, uint64_t item_size, uint64_t* size);
  bool buffer(uint64_t index, const uint8_t** data, uint64_t* size);
  bool buffer_index(uint64_t* index);
  PyObject* hold_object();

  bool open();
  bool has(size_t count) const { return static_cast<size_t>(end_ - at_) >= count; }
  uint64_t big_endian(size_t bytes);
  bool malformed(const char* what);
  PyObject* bad(const char* what) {
    malformed(what);
    return nullptr;
  }

  const uint8_t* base_;
  uint64_t size_;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  const uint8_t* rows_ = nullptr;  // the frame's table
  uint32_t buffer_count_ = 0;
  const tbk_ref_entry_t* refs_ = nullptr;
  PyObject* ref_list_ = nullptr;
  uint32_t ref_count_ = 0;
  tbk_ref_t hold_ = 0;
  bool resolve_ = false;
  PyObject* hold_object_ = nullptr;
};

}  // namespace thornback::python
