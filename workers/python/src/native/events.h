// Taking events from the endpoint, and what they set off: watched refs complete futures, calls go
// to the server.
#pragma once

#include "py.h"
#include "thornback.h"

namespace thornback::python {

/// Takes what is there, or waits up to `timeout_ns` without the GIL (< 0 without limit). Futures
/// complete at once. Calls and their companions are served when `serve`, otherwise kept for the
/// server. Returns the number of events, or -1 with an exception.
int pump_events(int64_t timeout_ns, bool serve);

/// Completes `future` with the value of `ref` (both kept alive): its set_result or set_exception is
/// called by the thread that pumps.
bool watch_ref(PyObject* ref, PyObject* future);

/// Forgets watches and kept events of a session that has ended; futures fail with
/// SessionClosedError.
void drop_events();

/// Python functions of the module.
extern PyMethodDef event_functions[];

}  // namespace thornback::python
