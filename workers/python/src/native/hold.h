// The Python type behind zero-copy views: it exports stored bytes through the buffer protocol,
// read-only, and gives the ref back when the last view is gone.
#pragma once

#include "py.h"
#include "thornback.h"

namespace thornback::python {

struct Hold {
  PyObject_HEAD const uint8_t* data;
  uint64_t size;
  tbk_ref_t ref;  // 0 for a part
  uint32_t generation;
  PyObject* whole;  // of a part: the hold that keeps the bytes

  static PyTypeObject* type;
  /// Counts `ref` once more.
  static PyObject* of_ref(tbk_ref_t ref, const uint8_t* data, uint64_t size);
  static PyObject* part(PyObject* whole, const uint8_t* data, uint64_t size);
  static bool ready(PyObject* module);
};

}  // namespace thornback::python
