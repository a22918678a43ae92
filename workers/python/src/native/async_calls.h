// Coroutines of received calls: their first step runs at once, as a task of the worker's loop; most
// end in it and never cost the loop a turn.
#pragma once

#include "py.h"
#include "thornback.h"

namespace thornback::python {

/// Whether `subject` is a coroutine that `run_coroutine` may take.
bool takes_coroutine(PyObject* subject);
/// Runs the first step; replies when that was all, otherwise hands the task to the loop's hook.
/// False only for exceptions that end the worker.
bool run_coroutine(uint32_t instance, tbk_incoming_t call, PyObject* coroutine);

/// Python functions of the module.
extern PyMethodDef async_functions[];

}  // namespace thornback::python
