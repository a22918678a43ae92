// put, get and wait over many refs.
#pragma once

#include "py.h"

namespace thornback::python {

/// put(value) -> ObjectRef
PyObject* put(PyObject* module, PyObject* value);
/// put_arguments(args, kwargs, language) -> ObjectRef of [positional, keywords], for constructors.
PyObject* put_arguments(PyObject* module, PyObject* arguments);
/// get(refs, timeout=None): one ObjectRef, or a list of them at once.
PyObject* get(PyObject* module, PyObject* const* arguments, Py_ssize_t count, PyObject* names);
/// wait(refs, num_returns, timeout) -> (ready, pending)
PyObject* wait(PyObject* module, PyObject* const* arguments, Py_ssize_t count);

}  // namespace thornback::python
