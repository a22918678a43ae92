// The extension types of the value format.
#include <cstring>

#include "decoder.h"
#include "hold.h"
#include "object_ref.h"
#include "session.h"
#include "state.h"

namespace thornback::python {

static thread_local Decoder* innermost = nullptr;

Decoder* Decoder::current() {
  return innermost;
}

/// Calls thornback._codec.restore; meanwhile pickles may ask this decoder for refs.
PyObject* Decoder::hooked(int code, PyObject* body) {
  Owned owned_body(body);
  if (!owned_body) return nullptr;
  if (state().restore == nullptr) return bad("an extension without a hook");
  Owned number(PyLong_FromLong(code));
  if (!number) return nullptr;
  PyObject* arguments[] = {number.get(), owned_body.get()};
  Decoder* outer = std::exchange(innermost, this);
  PyObject* result = PyObject_Vectorcall(state().restore, arguments, 2, nullptr);
  innermost = outer;
  return result;
}

PyObject* Decoder::extension(size_t size, int depth, Place place) {
  if (!has(size + 1)) return bad("it is cut");
  auto code = static_cast<int8_t>(*at_++);
  const uint8_t* outer_end = std::exchange(end_, at_ + size);
  Owned result(extension_body(code, end_, depth, place));
  if (result && at_ != end_) return bad("an extension has another size than its content");
  end_ = outer_end;
  return result.release();
}

PyObject* Decoder::extension_body(int code, const uint8_t* end, int depth, Place place) {
  auto size = static_cast<size_t>(end - at_);
  switch (code) {
    case -1: return instant(size);
    case 1: return wide_integer(size);
    case 2: return place == Place::kKey ? bad("a key is an array") : array(depth);
    case 3: return set(depth, place);
    case 4: return tuple(depth);
    case 5: return size == 4 ? ref() : bad("a ref");
    case 7: return python_object(depth);
    case 9: return size == 4 ? large_bytes() : bad("large bytes");
    case 8:
      if (place == Place::kKey) return bad("a key is an error");
      [[fallthrough]];
    case 6:
    case 10: return hooked(code, any(depth));
    default: return bad("an unknown extension");
  }
}

PyObject* Decoder::wide_integer(size_t size) {
  if (size == 0 || size > 65535) return bad("a wide integer");
  Owned body(bytes(size));
  Owned method(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyLong_Type), "from_bytes"));
  if (!body || !method) return nullptr;
  Owned arguments(Py_BuildValue("(Os)", body.get(), "big"));
  Owned keywords(Py_BuildValue("{s:O}", "signed", Py_True));
  if (!arguments || !keywords) return nullptr;
  return PyObject_Call(method.get(), arguments.get(), keywords.get());
}

PyObject* Decoder::instant(size_t size) {
  if (size != 4 && size != 8 && size != 12) return bad("an instant");
  uint64_t nanoseconds = 0;
  auto seconds = static_cast<int64_t>(0);
  if (size == 4) {
    seconds = static_cast<int64_t>(big_endian(4));
  } else if (size == 8) {
    uint64_t packed = big_endian(8);
    nanoseconds = packed >> 34;
    seconds = static_cast<int64_t>(packed & ((uint64_t{1} << 34) - 1));
  } else {
    nanoseconds = big_endian(4);
    seconds = static_cast<int64_t>(big_endian(8));
  }
  if (nanoseconds > 999'999'999) return bad("an instant with too many nanoseconds");
  return hooked(-1, Py_BuildValue("(LK)", seconds, nanoseconds));
}

PyObject* Decoder::tuple(int depth) {
  size_t count = 0;
  if (!list_header(&count)) return nullptr;
  if (depth >= kDepthMax) return bad("it is nested too deeply");
  Owned result(PyTuple_New(static_cast<Py_ssize_t>(count)));
  if (!result) return nullptr;
  for (size_t i = 0; i < count; ++i) {
    PyObject* item = any(depth + 1);
    if (item == nullptr) return nullptr;
    PyTuple_SET_ITEM(result.get(), static_cast<Py_ssize_t>(i), item);
  }
  return result.release();
}

PyObject* Decoder::set(int depth, Place place) {
  size_t count = 0;
  if (!list_header(&count)) return nullptr;
  if (depth >= kDepthMax) return bad("it is nested too deeply");
  // Only a frozenset can be hashed: a set inside a set or a key becomes one.
  Owned result(place == Place::kKey ? PyFrozenSet_New(nullptr) : PySet_New(nullptr));
  if (!result) return nullptr;
  for (size_t i = 0; i < count; ++i) {
    Owned member(any(depth + 1, Place::kKey));
    if (!member) return nullptr;
    if (PySet_Add(result.get(), member.get()) < 0) {
      if (!PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
      PyErr_Clear();
      return bad("a member of a set cannot be hashed");
    }
  }
  return result.release();
}

// ---- buffers
// -------------------------------------------------------------------------------------------------------

bool Decoder::buffer(uint64_t index, const uint8_t** data, uint64_t* size) {
  if (index >= buffer_count_) return malformed("a buffer index is out of range");
  uint64_t row[2];
  std::memcpy(row, rows_ + 16 * index, sizeof row);
  *data = base_ + row[0];
  *size = row[1];
  return true;
}

bool Decoder::buffer_index(uint64_t* index) {
  Owned number(any(0));
  if (!number) return false;
  if (!PyLong_CheckExact(number.get())) return malformed("a buffer index");
  *index = PyLong_AsUnsignedLongLong(number.get());
  if (PyErr_Occurred() == nullptr) return true;
  PyErr_Clear();
  return malformed("a buffer index is out of range");
}

PyObject* Decoder::hold_object() {
  if (hold_object_ == nullptr) hold_object_ = Hold::of_ref(hold_, base_, size_);
  return hold_object_;
}

PyObject* Decoder::large_bytes() {
  const uint8_t* data = nullptr;
  uint64_t size = 0;
  if (!buffer(big_endian(4), &data, &size)) return nullptr;
  if (hold_ != 0) {
    PyObject* whole = hold_object();
    Owned part(whole == nullptr ? nullptr : Hold::part(whole, data, size));
    return part ? PyMemoryView_FromObject(part.get()) : nullptr;
  }
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(data),
                                   static_cast<Py_ssize_t>(size));
}

/// A part of a pickle: bytes, or a read-only buffer object over the store.
PyObject* Decoder::bytes_or_view() {
  if (!has(1)) return bad("it is cut");
  if (*at_ >= 0xC4 && *at_ <= 0xC6) return any(0);
  uint64_t index = 0;
  uint64_t size = 0;
  const uint8_t* data = nullptr;
  if (!buffer_index(&index) || !buffer(index, &data, &size)) return nullptr;
  if (hold_ == 0) {
    return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(data),
                                     static_cast<Py_ssize_t>(size));
  }
  PyObject* whole = hold_object();
  return whole == nullptr ? nullptr : Hold::part(whole, data, size);
}

PyObject* Decoder::python_object(int depth) {
  size_t count = 0;
  if (!list_header(&count)) return nullptr;
  if (count == 0 || depth >= kDepthMax) return bad("a pickled object");
  Owned parts(PyList_New(static_cast<Py_ssize_t>(count)));
  if (!parts) return nullptr;
  for (size_t i = 0; i < count; ++i) {
    PyObject* part = bytes_or_view();
    if (part == nullptr) return nullptr;
    PyList_SET_ITEM(parts.get(), static_cast<Py_ssize_t>(i), part);
  }
  return hooked(7, parts.release());
}

// ---- arrays
// --------------------------------------------------------------------------------------------------------

bool Decoder::array_shape(Owned* shape, uint64_t item_size, uint64_t* size) {
  size_t rank = 0;
  if (!list_header(&rank)) return false;
  if (rank > 32) return malformed("an array of too many dimensions");
  *shape = Owned(PyTuple_New(static_cast<Py_ssize_t>(rank)));
  if (!*shape) return false;
  uint64_t extent = item_size;  // of the dimensions that are not zero
  bool empty = false;
  for (size_t i = 0; i < rank; ++i) {
    PyObject* length = any(0);
    if (length == nullptr) return false;
    PyTuple_SET_ITEM(shape->get(), static_cast<Py_ssize_t>(i), length);
    if (!PyLong_CheckExact(length)) return malformed("an array's shape");
    long long count = PyLong_AsLongLong(length);
    if (count < 0) {
      PyErr_Clear();
      return malformed("an array's shape");
    }
    if (count == 0) empty = true;
    if (count > 0 && __builtin_mul_overflow(extent, static_cast<uint64_t>(count), &extent)) {
      return malformed("an array is too large");
    }
    if (extent >= uint64_t{1} << 53) return malformed("an array is too large");
  }
  *size = empty ? 0 : extent;
  return true;
}

PyObject* Decoder::array(int depth) {
  size_t count = 0;
  if (!list_header(&count)) return nullptr;
  if (count != 3 || depth + 1 >= kDepthMax) return bad("an array");
  Owned name(any(depth));
  if (!name) return nullptr;
  if (!PyUnicode_CheckExact(name.get()) || !numpy_require()) return bad("an array's dtype");
  PyObject* dtype = PyDict_GetItemWithError(state().numpy_dtypes, name.get());
  if (dtype == nullptr) return bad("an array's dtype");
  const char* text = PyUnicode_AsUTF8(name.get());
  uint64_t item_size = text[3] == 0 ? static_cast<uint64_t>(text[2] - '0') : 16;
  Owned shape;
  uint64_t size = 0;
  if (!array_shape(&shape, item_size, &size)) return nullptr;
  return array_of(dtype, shape.get(), size);
}

PyObject* Decoder::array_of(PyObject* dtype, PyObject* shape, uint64_t size) {
  if (!has(1)) return bad("it is cut");
  Owned memory;
  uint64_t offset = 0;
  if (*at_ >= 0xC4 && *at_ <= 0xC6) {
    memory = Owned(any(0));
    if (!memory) return nullptr;
    if (static_cast<uint64_t>(PyBytes_GET_SIZE(memory.get())) != size) {
      return bad("an array of another size than its shape");
    }
  } else {
    uint64_t index = 0;
    uint64_t found = 0;
    const uint8_t* data = nullptr;
    if (!buffer_index(&index) || !buffer(index, &data, &found)) return nullptr;
    if (found != size) return bad("an array of another size than its shape");
    if (hold_ != 0) {
      memory = Owned::share(hold_object());
      offset = static_cast<uint64_t>(data - base_);
    } else {
      memory = Owned(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(data),
                                               static_cast<Py_ssize_t>(size)));
    }
    if (!memory) return nullptr;
  }
  Owned start(PyLong_FromUnsignedLongLong(offset));
  if (!start) return nullptr;
  PyObject* arguments[] = {shape, dtype, memory.get(), start.get()};
  return PyObject_Vectorcall(state().numpy_array, arguments, 4, nullptr);
}

// ---- refs
// ----------------------------------------------------------------------------------------------------------

PyObject* Decoder::ref_object(uint64_t index) {
  if (index >= ref_count_) return bad("a ref's index is out of range");
  if (ref_list_ != nullptr) {
    return Py_NewRef(PyList_GET_ITEM(ref_list_, static_cast<Py_ssize_t>(index)));
  }
  tbk_ref_t ref = refs_[index].ref;
  tbk_status_t status = tbk_ref_retain(session().endpoint, ref);
  return status == TBK_OK ? ObjectRef::make(ref) : raise_status(status, "a ref of a value");
}

PyObject* Decoder::ref() {
  uint64_t index = big_endian(4);
  bool stands_for_value = resolve_ && index < ref_count_ && refs_ != nullptr &&
                          (refs_[index].flags & TBK_REF_RESOLVE) != 0;
  if (!stands_for_value) return ref_object(index);
  tbk_value_t value;
  tbk_status_t status = tbk_ref_read(session().endpoint, refs_[index].ref, &value);
  if (status != TBK_OK) return raise_status(status, "the value of an argument");
  return session_value(value);
}

}  // namespace thornback::python
