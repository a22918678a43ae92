#include "encoder.h"

#include "object_ref.h"
#include "state.h"

namespace thornback::python {

void Encoder::reset(Audience audience, const char* language) {
  head_.truncate(0);
  if (!refs_.empty()) refs_.clear();
  if (!ref_positions_.empty()) ref_positions_.clear();
  for (OutBuffer& buffer : buffers_) {
    if (buffer.view.obj != nullptr) PyBuffer_Release(&buffer.view);
    Py_XDECREF(buffer.owner);
  }
  buffers_.clear();
  path_.clear();
  audience_ = audience;
  language_ = language;
}

bool Encoder::value(PyObject* object, const char* root) {
  return any(object, 0) || fail_at(root);
}

bool Encoder::error_value(PyObject* map) {
  return extension(8, map, 0) || fail_at("error");
}

bool Encoder::arguments(PyObject* const* items, size_t count, PyObject* keyword_names) {
  auto keyword_count =
      keyword_names == nullptr ? 0 : static_cast<size_t>(PyTuple_GET_SIZE(keyword_names));
  // A language without keywords gets them as one object, the last argument.
  bool as_object = keyword_count > 0 && audience_ == Audience::kOther;
  bool as_extension = keyword_count > 0 && !as_object;
  size_t body = 0;
  if (as_extension) {
    body = head_.begin_extension();
    head_.list_header(2);
  }
  head_.list_header(count + (as_object ? 1 : 0));
  int depth = as_extension ? 2 : 1;
  for (size_t i = 0; i < count; ++i) {
    if (!argument(items[i], depth)) return fail_at("args[" + std::to_string(i) + "]");
  }
  if (keyword_count == 0) return true;
  head_.map_header(keyword_count);
  for (size_t i = 0; i < keyword_count; ++i) {
    PyObject* name = PyTuple_GET_ITEM(keyword_names, static_cast<Py_ssize_t>(i));
    if (string(name) && argument(items[count + i], depth + (as_object ? 1 : 0))) continue;
    const char* text = PyUnicode_AsUTF8(name);
    if (text == nullptr) PyErr_Clear();
    return fail_at("kwargs['" + std::string(text != nullptr ? text : "?") + "']");
  }
  if (as_extension) head_.end_extension(body, 11);
  return true;
}

bool Encoder::constructor_arguments(PyObject* positional, PyObject* keywords) {
  bool as_object = PyDict_GET_SIZE(keywords) > 0 && audience_ == Audience::kOther;
  Py_ssize_t count = PyTuple_GET_SIZE(positional);
  head_.list_header(2);
  head_.list_header(static_cast<size_t>(count) + (as_object ? 1 : 0));
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!any(PyTuple_GET_ITEM(positional, i), 2)) return fail_at("args[" + std::to_string(i) + "]");
  }
  // For a language without keywords the map is the last argument, and the second list is empty.
  if (!map(keywords, as_object ? 2 : 1)) return fail_at("kwargs");
  if (as_object) head_.map_header(0);
  return true;
}

bool Encoder::argument(PyObject* object, int depth) {
  if (!ObjectRef::check(object)) return any(object, depth);
  tbk_ref_t ref = ObjectRef::number(object);
  if (ref == 0) return false;
  head_.tagged(0xD6, static_cast<uint8_t>(5));
  uint8_t* to = head_.room(4);
  ByteWriter::store(to, ref_index(ref, TBK_REF_RESOLVE));
  head_.advance(4);
  return true;
}

bool Encoder::any(PyObject* object, int depth) {
  PyTypeObject* type = Py_TYPE(object);
  if (type == &PyUnicode_Type) return string(object);
  if (type == &PyLong_Type) return integer(object);
  if (type == &PyFloat_Type) {
    head_.float64(PyFloat_AS_DOUBLE(object));
    return true;
  }
  if (object == Py_None) {
    head_.u8(0xC0);
    return true;
  }
  if (type == &PyBool_Type) {
    head_.u8(object == Py_True ? 0xC3 : 0xC2);
    return true;
  }
  if (type == &PyDict_Type) return map(object, depth);
  if (type == &PyList_Type) return list(object, depth);
  if (type == &PyTuple_Type) return tuple(object, depth);
  if (type == &PyBytes_Type) return bytes(object);
  return other(object, depth);
}

bool Encoder::other(PyObject* object, int depth) {
  if (ObjectRef::check(object)) {
    tbk_ref_t ref = ObjectRef::number(object);
    if (ref == 0) return false;
    head_.tagged(0xD6, static_cast<uint8_t>(5));
    ByteWriter::store(head_.room(4), ref_index(ref, 0));
    head_.advance(4);
    return true;
  }
  if (PyAnySet_CheckExact(object)) return set(object, depth);
  if (PyByteArray_CheckExact(object) || PyMemoryView_Check(object)) return view_bytes(object);
  if (numpy_loaded()) {
    if (reinterpret_cast<PyObject*>(Py_TYPE(object)) == state().numpy_array) {
      return array(object, depth);
    }
    if (PyObject_TypeCheck(object, reinterpret_cast<PyTypeObject*>(state().numpy_generic))) {
      return numpy_scalar(object, depth);
    }
  }
  return reduced(object, depth);
}

bool Encoder::integer(PyObject* object) {
  int overflow = 0;
  int64_t value = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow == 0) {
    head_.integer(value);
    return true;
  }
  if (overflow > 0) {
    uint64_t wide = PyLong_AsUnsignedLongLong(object);
    if (PyErr_Occurred() == nullptr) {
      head_.unsigned_integer(wide);
      return true;
    }
    PyErr_Clear();
  }
  return wide_integer(object);
}

bool Encoder::wide_integer(PyObject* object) {
  Owned positive(PyObject_RichCompareBool(object, Py_False, Py_LT) == 1 ? PyNumber_Invert(object)
                                                                        : Py_NewRef(object));
  if (!positive) return false;
  Owned bits(PyObject_CallMethod(positive.get(), "bit_length", nullptr));
  if (!bits) return false;
  long count = PyLong_AsLong(bits.get()) / 8 + 1;
  if (count > 65535) return refuse("the integer has %ld bytes; at most 65535 can be sent", count);
  Owned method(PyObject_GetAttrString(object, "to_bytes"));
  Owned arguments(Py_BuildValue("(ls)", count, "big"));
  Owned keywords(Py_BuildValue("{s:O}", "signed", Py_True));
  if (!method || !arguments || !keywords) return false;
  Owned body(PyObject_Call(method.get(), arguments.get(), keywords.get()));
  if (!body) return false;
  size_t start = head_.begin_extension();
  head_.bytes(PyBytes_AS_STRING(body.get()), static_cast<size_t>(count));
  head_.end_extension(start, 1);
  return true;
}

bool Encoder::string(PyObject* object) {
  if (PyUnicode_IS_COMPACT_ASCII(object)) {
    head_.str(static_cast<const char*>(PyUnicode_DATA(object)),
              static_cast<size_t>(PyUnicode_GET_LENGTH(object)));
    return true;
  }
  // Not AsUTF8AndSize: it would keep a second copy of the text in the object.
  Owned text(PyUnicode_AsUTF8String(object));
  if (!text) {
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return false;
    PyErr_Clear();
    return refuse("the string holds a lone surrogate, which UTF-8 cannot express");
  }
  head_.str(PyBytes_AS_STRING(text.get()), static_cast<size_t>(PyBytes_GET_SIZE(text.get())));
  return true;
}

bool Encoder::bytes(PyObject* object) {
  auto size = static_cast<size_t>(PyBytes_GET_SIZE(object));
  auto* data = reinterpret_cast<const uint8_t*>(PyBytes_AS_STRING(object));
  if (size <= kInlineBytesMax) {
    head_.bin_header(size);
    head_.bytes(data, size);
    return true;
  }
  OutBuffer buffer;
  buffer.owner = Py_NewRef(object);
  buffer.data = data;
  buffer.size = size;
  uint32_t index = add_buffer(buffer);
  head_.tagged(0xD6, static_cast<uint8_t>(9));
  ByteWriter::store(head_.room(4), index);
  head_.advance(4);
  return true;
}

bool Encoder::list_items(PyObject* object, int depth) {
  Py_ssize_t count = PyList_GET_SIZE(object);
  for (Py_ssize_t i = 0; i < count; ++i) {
    // A hook may run code that changes the list.
    if (PyList_GET_SIZE(object) != count) return refuse("the list changed while it was sent");
    Owned item = Owned::share(PyList_GET_ITEM(object, i));
    if (!any(item.get(), depth)) return under_index(static_cast<size_t>(i));
  }
  return true;
}

bool Encoder::list(PyObject* object, int depth) {
  if (!deeper(depth)) return false;
  head_.list_header(static_cast<size_t>(PyList_GET_SIZE(object)));
  return list_items(object, depth + 1);
}

bool Encoder::tuple(PyObject* object, int depth) {
  if (!deeper(depth)) return false;
  size_t body = head_.begin_extension();
  Py_ssize_t count = PyTuple_GET_SIZE(object);
  head_.list_header(static_cast<size_t>(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!any(PyTuple_GET_ITEM(object, i), depth + 1)) return under_index(static_cast<size_t>(i));
  }
  head_.end_extension(body, 4);
  return true;
}

bool Encoder::map(PyObject* object, int depth) {
  if (!deeper(depth)) return false;
  Py_ssize_t count = PyDict_GET_SIZE(object);
  head_.map_header(static_cast<size_t>(count));
  Py_ssize_t position = 0;
  PyObject* borrowed_key = nullptr;
  PyObject* borrowed_item = nullptr;
  while (PyDict_Next(object, &position, &borrowed_key, &borrowed_item) != 0) {
    Owned name = Owned::share(borrowed_key);
    Owned item = Owned::share(borrowed_item);
    if (!key(name.get(), depth + 1)) return under_key(name.get());
    if (!any(item.get(), depth + 1)) return under_key(name.get());
    if (PyDict_GET_SIZE(object) != count) return refuse("the dict changed while it was sent");
  }
  return true;
}

bool Encoder::key(PyObject* object, int depth) {
  if (PyUnicode_CheckExact(object)) return string(object);
  if (PyExceptionInstance_Check(object)) return refuse("an exception cannot be a key or member");
  return any(object, depth);
}

bool Encoder::set(PyObject* object, int depth) {
  if (!deeper(depth)) return false;
  // A copy, because hooks may run code that changes the set.
  Owned members(PySequence_List(object));
  if (!members) return false;
  size_t body = head_.begin_extension();
  head_.list_header(static_cast<size_t>(PyList_GET_SIZE(members.get())));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(members.get()); ++i) {
    PyObject* member = PyList_GET_ITEM(members.get(), i);
    if (!key(member, depth + 1)) return under_key(member);
  }
  head_.end_extension(body, 3);
  return true;
}

bool Encoder::deeper(int depth) {
  if (depth < kDepthMax) return true;
  return refuse("it is nested deeper than %d levels, or contains itself", kDepthMax);
}

}  // namespace thornback::python
