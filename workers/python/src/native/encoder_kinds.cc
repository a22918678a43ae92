// The kinds of values that carry buffers or come through the `reduce` hook.
#include <cstring>

#include "encoder.h"
#include "state.h"

namespace thornback::python {

bool Encoder::view_bytes(PyObject* object) {
  OutBuffer buffer;
  if (PyObject_GetBuffer(object, &buffer.view, PyBUF_SIMPLE) < 0) {
    PyErr_Clear();  // a strided memoryview
    Owned copy(PyObject_CallMethod(object, "tobytes", nullptr));
    return copy && bytes(copy.get());
  }
  buffer.data = static_cast<const uint8_t*>(buffer.view.buf);
  buffer.size = static_cast<uint64_t>(buffer.view.len);
  if (buffer.size <= kInlineBytesMax) {
    head_.bin_header(buffer.size);
    head_.bytes(buffer.data, buffer.size);
    PyBuffer_Release(&buffer.view);
    return true;
  }
  uint32_t index = add_buffer(buffer);
  head_.tagged(0xD6, static_cast<uint8_t>(9));
  ByteWriter::store(head_.room(4), index);
  head_.advance(4);
  return true;
}

/// The dtype of the value format for a buffer's item format, or null. The format is numpy's or the
/// struct module's.
static const char* dtype_of(const char* format, Py_ssize_t item_size) {
  if (format == nullptr) return item_size == 1 ? "|u1" : nullptr;
  if (*format == '<' || *format == '=' || *format == '@') ++format;
  bool single = format[0] != 0 && format[1] == 0;
  if (format[0] == 'Z' && format[1] != 0 && format[2] == 0) {
    if (format[1] == 'f' && item_size == 8) return "<c8";
    return format[1] == 'd' && item_size == 16 ? "<c16" : nullptr;
  }
  if (!single) return nullptr;
  static const char* const kSigned[] = {"|i1", "<i2", "<i4", "<i8"};
  static const char* const kUnsigned[] = {"|u1", "<u2", "<u4", "<u8"};
  int power = item_size == 1   ? 0
              : item_size == 2 ? 1
              : item_size == 4 ? 2
              : item_size == 8 ? 3
                               : -1;
  switch (format[0]) {
    case '?': return item_size == 1 ? "|b1" : nullptr;
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
    case 'n': return power >= 0 ? kSigned[power] : nullptr;
    case 'B':
    case 'H':
    case 'I':
    case 'L':
    case 'Q':
    case 'N': return power >= 0 ? kUnsigned[power] : nullptr;
    case 'e': return "<f2";
    case 'f': return "<f4";
    case 'd': return "<f8";
    default: return nullptr;
  }
}

bool Encoder::array(PyObject* object, int depth) {
  Py_buffer view;
  if (PyObject_GetBuffer(object, &view, PyBUF_FULL_RO) < 0) {
    PyErr_Clear();  // dtypes without a buffer form, such as datetime64
    return reduced(object, depth);
  }
  const char* dtype = dtype_of(view.format, view.itemsize);
  bool contiguous = PyBuffer_IsContiguous(&view, 'C') != 0;
  bool strided = !contiguous && static_cast<size_t>(view.len) > kInlineArrayMax;
  if (dtype == nullptr || strided) {
    PyBuffer_Release(&view);
    return reduced(object, depth);
  }
  // The extension's array and, inside it, the shape.
  bool written = deeper(depth + 1) && array_body(&view, dtype);
  if (view.obj != nullptr) PyBuffer_Release(&view);
  return written;
}

/// Takes the view over when it becomes a buffer of the blob.
bool Encoder::array_body(Py_buffer* view, const char* dtype) {
  size_t body = head_.begin_extension();
  head_.list_header(3);
  head_.str(dtype, std::strlen(dtype));
  head_.list_header(static_cast<size_t>(view->ndim));
  for (int i = 0; i < view->ndim; ++i) head_.integer(view->shape[i]);
  auto size = static_cast<size_t>(view->len);
  if (size <= kInlineArrayMax) {
    head_.bin_header(size);
    if (size > 0 && PyBuffer_ToContiguous(head_.room(size), view, view->len, 'C') < 0) return false;
    head_.advance(size);
  } else {
    OutBuffer buffer;
    buffer.view = *view;
    buffer.data = static_cast<const uint8_t*>(view->buf);
    buffer.size = size;
    // `format`, `shape` and `strides` of a Py_buffer may point into itself only for one dimension
    // made by PyBuffer_FillInfo; nothing reads them after this.
    head_.integer(add_buffer(buffer));
    view->obj = nullptr;
  }
  head_.end_extension(body, 2);
  return true;
}

bool Encoder::numpy_scalar(PyObject* object, int depth) {
  const char* name = Py_TYPE(object)->tp_name;
  if (std::strncmp(name, "numpy.", 6) != 0) return reduced(object, depth);
  name += 6;
  if (std::strcmp(name, "float64") == 0) {
    head_.float64(PyFloat_AS_DOUBLE(object));
    return true;
  }
  if (std::strcmp(name, "float32") == 0 || std::strcmp(name, "float16") == 0) {
    Owned number(PyNumber_Float(object));
    if (!number) return false;
    head_.float64(PyFloat_AS_DOUBLE(number.get()));
    return true;
  }
  if (std::strcmp(name, "bool") == 0 || std::strcmp(name, "bool_") == 0) {
    head_.u8(PyObject_IsTrue(object) == 1 ? 0xC3 : 0xC2);
    return true;
  }
  if (std::strcmp(name, "timedelta64") != 0 && PyIndex_Check(object)) {
    Owned number(PyNumber_Index(object));
    return number && integer(number.get());
  }
  return reduced(object, depth);
}

/// Everything else: thornback._codec.reduce says what is sent in place of the object, or refuses
/// it.
bool Encoder::reduced(PyObject* object, int depth) {
  if (state().reduce == nullptr) return refuse("a %s has no form", Py_TYPE(object)->tp_name);
  const char* language = audience_ == Audience::kAny      ? ""
                         : audience_ == Audience::kPython ? "python"
                                                          : language_;
  Owned name(PyUnicode_FromString(language));
  if (!name) return false;
  PyObject* arguments[] = {object, name.get()};
  Owned pair(PyObject_Vectorcall(state().reduce, arguments, 2, nullptr));
  if (!pair) return false;
  if (!PyTuple_CheckExact(pair.get()) || PyTuple_GET_SIZE(pair.get()) != 2) {
    PyErr_SetString(PyExc_TypeError, "the reduce hook must return (code, body)");
    return false;
  }
  long code = PyLong_AsLong(PyTuple_GET_ITEM(pair.get(), 0));
  PyObject* body = PyTuple_GET_ITEM(pair.get(), 1);
  if (code == -1 && PyErr_Occurred() != nullptr) return false;
  switch (code) {
    case kReplacement: return any(body, depth);
    case kInstant: return instant(body);
    case kPythonObject: return python_object(body, depth);
    default: return extension(code, body, depth);
  }
}

bool Encoder::extension(long code, PyObject* body, int depth) {
  size_t start = head_.begin_extension();
  if (!any(body, depth)) return false;
  head_.end_extension(start, static_cast<int8_t>(code));
  return true;
}

bool Encoder::instant(PyObject* body) {
  long long seconds = 0;
  unsigned int nanoseconds = 0;
  if (PyArg_ParseTuple(body, "LI", &seconds, &nanoseconds) == 0) return false;
  size_t start = head_.begin_extension();
  auto moment = static_cast<uint64_t>(seconds);
  uint8_t* to = head_.room(12);
  if (nanoseconds == 0 && moment <= 0xFFFFFFFF) {
    ByteWriter::store(to, static_cast<uint32_t>(moment));
    head_.advance(4);
  } else if (moment < uint64_t{1} << 34) {
    ByteWriter::store(to, uint64_t{nanoseconds} << 34 | moment);
    head_.advance(8);
  } else {
    ByteWriter::store(to, nanoseconds);
    ByteWriter::store(to + 4, moment);
    head_.advance(12);
  }
  head_.end_extension(start, -1);
  return true;
}

bool Encoder::python_object(PyObject* body, int depth) {
  if (!PyTuple_CheckExact(body) || PyTuple_GET_SIZE(body) != 2 ||
      !PyList_CheckExact(PyTuple_GET_ITEM(body, 1))) {
    PyErr_SetString(PyExc_TypeError, "the reduce hook must return (pickle, [buffer, ...])");
    return false;
  }
  PyObject* buffers = PyTuple_GET_ITEM(body, 1);
  if (!deeper(depth)) return false;
  size_t start = head_.begin_extension();
  Py_ssize_t count = PyList_GET_SIZE(buffers);
  head_.list_header(static_cast<size_t>(count) + 1);
  if (!bytes_or_buffer(PyTuple_GET_ITEM(body, 0), kInlineBytesMax)) return false;
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!bytes_or_buffer(PyList_GET_ITEM(buffers, i), kInlineArrayMax)) return false;
  }
  head_.end_extension(start, 7);
  return true;
}

/// `bin` when short, otherwise the index of a buffer.
bool Encoder::bytes_or_buffer(PyObject* object, size_t inline_max) {
  OutBuffer buffer;
  if (PyObject_GetBuffer(object, &buffer.view, PyBUF_SIMPLE) < 0) return false;
  buffer.data = static_cast<const uint8_t*>(buffer.view.buf);
  buffer.size = static_cast<uint64_t>(buffer.view.len);
  if (buffer.size <= inline_max) {
    head_.bin_header(buffer.size);
    head_.bytes(buffer.data, buffer.size);
    PyBuffer_Release(&buffer.view);
  } else {
    head_.integer(add_buffer(buffer));
  }
  return true;
}

}  // namespace thornback::python
