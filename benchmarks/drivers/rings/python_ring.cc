// The answering end for CPython: serve(descriptor, function) calls the function with each number until the last call.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "ring_pair.h"

namespace {

using thornback::bench::kLastCall;
using thornback::bench::Record;
using thornback::bench::RingEnd;
using thornback::bench::RingPair;

// False with a Python error set.
bool answer(RingEnd& end, PyObject* function, const Record& record) {
  PyObject* argument = PyLong_FromLongLong(record.value);
  if (argument == nullptr) return false;
  PyObject* result = PyObject_CallOneArg(function, argument);
  Py_DECREF(argument);
  if (result == nullptr) return false;
  const int64_t value = PyLong_AsLongLong(result);
  Py_DECREF(result);
  if (value == -1 && PyErr_Occurred() != nullptr) return false;
  while (!end.put(record.id, value)) end.publish();
  return true;
}

PyObject* serve(PyObject*, PyObject* args) {
  int file = -1;
  PyObject* function = nullptr;
  if (!PyArg_ParseTuple(args, "iO", &file, &function)) return nullptr;
  RingPair* pair = RingPair::map(file);
  if (pair == nullptr) return PyErr_SetFromErrno(PyExc_OSError);
  thornback::bench::pin_to(1);
  RingEnd end(*pair, 1);
  while (true) {
    Py_BEGIN_ALLOW_THREADS;
    end.wait();
    Py_END_ALLOW_THREADS;
    Record record;
    while (end.next(record)) {
      if (record.id == kLastCall) Py_RETURN_NONE;
      if (!answer(end, function, record)) return nullptr;
    }
    end.publish();
    end.release();
  }
}

PyMethodDef methods[] = {{"serve", serve, METH_VARARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyModuleDef module{PyModuleDef_HEAD_INIT, "python_ring", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit_python_ring() { return PyModule_Create(&module); }
