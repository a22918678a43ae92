// The Python type behind `handle.method` and `function.remote`: one call site, bound to a target
// and a function. Its call is the hot path of the caller's side: encode, submit, one ObjectRef.
#pragma once

#include "encoder.h"
#include "py.h"
#include "thornback.h"

namespace thornback::python {

struct Caller {
  PyObject_HEAD vectorcallfunc vectorcall;
  PyObject* target;  // keeps the target's number valid
  PyObject* owner;   // what the SDK wants kept, and asked for `options`; may be null
  PyObject* rebind;  // called with the arguments when the session is another one; may be null
  PyObject* name;
  tbk_target_t target_number;
  tbk_function_t function;
  uint32_t generation;
  uint32_t flags;  // TBK_CALL_STREAM
  uint64_t timeout_ns;
  Audience audience;
  const char* language;  // static

  static PyTypeObject* type;
  static bool ready(PyObject* module);
};

/// Caller(target, target_number, function, name, language, stream, timeout_ns, owner, rebind)
PyObject* make_caller(PyObject* module, PyObject* arguments);

}  // namespace thornback::python
