// An awaitable whose value is there already: `await` on it does not suspend.
#pragma once

#include "py.h"

namespace thornback::python {

struct ReadyAwait {
  PyObject_HEAD PyObject* value;

  static PyTypeObject* type;
  /// Takes the value over.
  static PyObject* make(PyObject* value);
  static bool ready(PyObject* module);
};

}  // namespace thornback::python
