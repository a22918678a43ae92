#include "ready_await.h"

namespace thornback::python {

PyTypeObject* ReadyAwait::type = nullptr;

namespace {

void dealloc(PyObject* object) {
  Py_XDECREF(reinterpret_cast<ReadyAwait*>(object)->value);
  PyTypeObject* type = Py_TYPE(object);
  PyObject_Free(object);
  Py_DECREF(type);
}

PySendResult send(PyObject* object, PyObject*, PyObject** result) {
  *result = std::exchange(reinterpret_cast<ReadyAwait*>(object)->value, nullptr);
  if (*result != nullptr) return PYGEN_RETURN;
  PyErr_SetString(PyExc_RuntimeError, "it was awaited already");
  return PYGEN_ERROR;
}

/// For who iterates instead of sending.
PyObject* next(PyObject* object) {
  PyObject* taken = nullptr;
  if (send(object, nullptr, &taken) != PYGEN_RETURN) return nullptr;
  Owned value(taken);
  // Not PyErr_SetObject with the value itself: a tuple would be taken apart.
  Owned stop(PyObject_CallOneArg(PyExc_StopIteration, value.get()));
  if (stop) PyErr_SetObject(PyExc_StopIteration, stop.get());
  return nullptr;
}

}  // namespace

PyObject* ReadyAwait::make(PyObject* value) {
  auto* self = PyObject_New(ReadyAwait, type);
  if (self == nullptr) {
    Py_DECREF(value);
    return nullptr;
  }
  self->value = value;
  return reinterpret_cast<PyObject*>(self);
}

bool ReadyAwait::ready(PyObject* module) {
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
      {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
      {Py_tp_iternext, reinterpret_cast<void*>(next)},
      {Py_am_send, reinterpret_cast<void*>(send)},
      {0, nullptr},
  };
  static PyType_Spec spec = {"thornback._native._ReadyAwait", sizeof(ReadyAwait), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  return type != nullptr &&
         PyModule_AddObjectRef(module, "_ReadyAwait", reinterpret_cast<PyObject*>(type)) == 0;
}

}  // namespace thornback::python
