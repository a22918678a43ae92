// The Python type behind `handle.method` and `function.remote`: one call site, bound to a target
// and a function. Its call is the hot path of the caller's side: encode, submit, one ObjectRef.
#pragma once

#include "encoder.h"
#include "py.h"
#include "session.h"
#include "thornback.h"

namespace thornback::python {

struct Caller {
  PyObject_HEAD vectorcallfunc vectorcall;
  PyObject* target;  // keeps the target's number valid
  PyObject* owner;   // what the SDK wants kept, and asked for `options`; may be null
  PyObject* rebind;  // called with the arguments when the session is another one; may be null
  PyObject* name;
  PyObject* settings;  // the options by name, as the SDK checked them; may be null
  tbk_target_t target_number;
  tbk_function_t function;
  uint32_t generation;
  uint32_t flags;    // TBK_CALL_STREAM
  uint32_t options;  // from tbk_call_option
  uint64_t timeout_ns;
  WhenFull when_full;
  Audience audience;
  const char* language;  // static

  static PyTypeObject* type;
  static bool ready(PyObject* module);
};

/// Caller(target, target_number, function, name, language, how, settings, owner, rebind); `how` is
/// (stream, timeout_ns, options, when_full)
PyObject* make_caller(PyObject* module, PyObject* arguments);

}  // namespace thornback::python
