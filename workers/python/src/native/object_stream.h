// The Python type ObjectStream: the items of a streaming call, one after the other.
#pragma once

#include "py.h"
#include "thornback.h"

namespace thornback::python {

struct ObjectStream {
  PyObject_HEAD tbk_ref_t ref;  // 0 once the stream has ended or was closed
  uint32_t generation;
  PyObject* weak_references;

  static PyTypeObject* type;
  static bool check(PyObject* object) { return Py_TYPE(object) == type; }
  /// Takes the count of `ref` over.
  static PyObject* make(tbk_ref_t ref);
  static bool ready(PyObject* module);
};

/// What `_try_next` returns instead of an item.
PyObject* stream_pending();
PyObject* stream_end();

}  // namespace thornback::python
