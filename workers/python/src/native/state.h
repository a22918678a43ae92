// What the module keeps for the life of the process: hooks into the Python half of the SDK, and
// types that are looked up once. All of it is guarded by the GIL.
#pragma once

#include "py.h"

namespace thornback::python {

struct State {
  // Set by thornback._codec at import.
  PyObject* reduce =
      nullptr;  // (value, language) -> (code, body): kinds that are rare enough for Python
  PyObject* restore = nullptr;        // (code, body) -> value
  PyObject* await_ref = nullptr;      // (ref) -> iterator: how asyncio waits for a ref
  PyObject* await_item = nullptr;     // (stream) -> awaitable of the next item
  PyObject* future_of_ref = nullptr;  // (ref) -> concurrent.futures.Future
  PyObject* own_error = nullptr;  // (exception) -> error map, for what Thornback says about a call
  PyObject* raised_error = nullptr;  // (exception) -> error map, for what user code raised
  // Set by thornback._worker in processes that serve calls.
  PyObject* resolve = nullptr;        // (instance, name) -> (callable, kind)
  PyObject* start_async = nullptr;    // (instance, call, coroutine or async iterator, stream)
  PyObject* start_thread = nullptr;   // (instance, group, callable that executes the call)
  PyObject* mismatch = nullptr;       // (callable, values, positional, names) -> exception or None
  PyObject* on_exit = nullptr;        // (instance, call, SystemExit or KeyboardInterrupt)
  PyObject* on_cancel = nullptr;      // (call)
  PyObject* on_credit = nullptr;      // (call)
  PyObject* error_classes = nullptr;  // dict: code -> exception class
  PyObject* refused = nullptr;        // exception (reason, path): a value without a form
  // numpy's types, known from the first moment numpy is seen in sys.modules.
  PyObject* numpy_array = nullptr;
  PyObject* numpy_generic = nullptr;
  PyObject* numpy_float64 = nullptr;
  PyObject* numpy_dtypes = nullptr;  // dict: text -> dtype
};

State& state();

/// Whether numpy is imported; never imports it.
bool numpy_loaded();
/// Imports numpy when it is not there yet; false with an exception when that fails.
bool numpy_require();

/// Codes that a `reduce` hook returns beside the extension codes of the value format.
enum HookCode : long {
  kInstant = -1,       // body is (seconds, nanoseconds)
  kPythonObject = 7,   // body is (pickle, buffers)
  kReplacement = 1000  // body is sent instead of the value
};

}  // namespace thornback::python
