// The Python type ObjectRef: one counted handle of the session, with a free list.
#pragma once

#include "py.h"
#include "thornback.h"

namespace thornback::python {

struct ObjectRef {
  PyObject_HEAD tbk_ref_t ref;
  uint32_t generation;  // the session it belongs to; see Session
  PyObject* weak_references;

  static PyTypeObject* type;
  static bool check(PyObject* object) { return Py_TYPE(object) == type; }
  /// The handle's number while its session lives; 0 with an exception otherwise.
  static tbk_ref_t number(PyObject* object);
  /// Takes the count of `ref` over.
  static PyObject* make(tbk_ref_t ref);
  /// Adds the types to the module.
  static bool ready(PyObject* module);
};

}  // namespace thornback::python
