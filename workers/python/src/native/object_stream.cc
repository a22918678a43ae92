#include "object_stream.h"

#include <structmember.h>

#include "session.h"
#include "state.h"

namespace thornback::python {

PyTypeObject* ObjectStream::type = nullptr;

PyObject* stream_pending() {
  static PyObject* marker = PyUnicode_InternFromString("<the next item is not there yet>");
  return marker;
}

PyObject* stream_end() {
  static PyObject* marker = PyUnicode_InternFromString("<the stream has ended>");
  return marker;
}

namespace {

ObjectStream* as_stream(PyObject* object) {
  return reinterpret_cast<ObjectStream*>(object);
}

/// Ends the consumer's interest: an unfinished producer is told.
void close_stream(ObjectStream* self, bool finished) {
  tbk_ref_t ref = std::exchange(self->ref, 0);
  if (ref == 0 || self->generation != session().generation) return;
  if (!finished) (void)tbk_cancel(session().endpoint, ref, 0);
  tbk_ref_release(session().endpoint, &ref, 1);
}

void dealloc(PyObject* object) {
  ObjectStream* self = as_stream(object);
  if (self->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  close_stream(self, false);
  PyTypeObject* type = Py_TYPE(object);
  PyObject_Free(object);
  Py_DECREF(type);
}

/// The next item, `stream_pending`, `stream_end`, or null with the producer's exception.
PyObject* try_next(PyObject* object, PyObject*) {
  ObjectStream* self = as_stream(object);
  if (self->ref == 0) return Py_NewRef(stream_end());
  tbk_endpoint_t* endpoint = require_generation(self->generation);
  if (endpoint == nullptr) return nullptr;
  tbk_ref_t item = 0;
  tbk_status_t status = tbk_stream_next(endpoint, self->ref, &item);
  if (status == TBK_WOULD_BLOCK) return Py_NewRef(stream_pending());
  if (status == TBK_END) {
    close_stream(self, true);
    return Py_NewRef(stream_end());
  }
  if (status != TBK_OK) return raise_status(status, "the stream failed");
  tbk_value_t value;
  status = tbk_ref_read(endpoint, item, &value);
  PyObject* result =
      status == TBK_OK ? session_value(value) : raise_status(status, "an item is lost");
  bool failed = status != TBK_OK || (value.flags & TBK_VALUE_ERROR) != 0;
  if (session().generation == self->generation) tbk_ref_release(endpoint, &item, 1);
  if (failed) close_stream(self, true);
  return result;
}

PyObject* next(PyObject* object) {
  for (;;) {
    Owned item(try_next(object, nullptr));
    if (!item || item.get() == stream_end()) return nullptr;
    if (item.get() != stream_pending()) return item.release();
    uint8_t ready = 0;
    tbk_ref_t ref = as_stream(object)->ref;
    if (wait_refs(&ref, 1, 1, -1, &ready) < 0) return nullptr;
  }
}

PyObject* close(PyObject* object, PyObject*) {
  close_stream(as_stream(object), false);
  Py_RETURN_NONE;
}

PyObject* exit(PyObject* object, PyObject*) {
  return close(object, nullptr);
}

PyObject* anext(PyObject* object) {
  if (state().await_item == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "thornback is not imported");
    return nullptr;
  }
  return PyObject_CallOneArg(state().await_item, object);
}

PyObject* enter(PyObject* object, PyObject*) {
  return Py_NewRef(object);
}

PyObject* repr(PyObject* object) {
  return PyUnicode_FromString(as_stream(object)->ref == 0 ? "<ObjectStream, ended>"
                                                          : "<ObjectStream>");
}

const char* const kCloseDoc =
    "close($self)\n--\n\nTakes no more items; a producer that has not finished is told to stop.";

PyMethodDef methods[] = {
    {"close", close, METH_NOARGS, kCloseDoc},
    {"_try_next", try_next, METH_NOARGS, nullptr},
    {"__enter__", enter, METH_NOARGS, nullptr},
    {"__exit__", exit, METH_VARARGS, nullptr},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ObjectStream, weak_references), READONLY, nullptr},
    {"_ref", T_ULONGLONG, offsetof(ObjectStream, ref), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

}  // namespace

PyObject* ObjectStream::make(tbk_ref_t ref) {
  auto* self = PyObject_New(ObjectStream, type);
  if (self == nullptr) return nullptr;
  self->ref = ref;
  self->generation = session().generation;
  self->weak_references = nullptr;
  return reinterpret_cast<PyObject*>(self);
}

bool ObjectStream::ready(PyObject* module) {
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
      {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
      {Py_tp_iternext, reinterpret_cast<void*>(next)},
      {Py_am_aiter, reinterpret_cast<void*>(PyObject_SelfIter)},
      {Py_am_anext, reinterpret_cast<void*>(anext)},
      {Py_tp_methods, methods},
      {Py_tp_members, members},
      {Py_tp_repr, reinterpret_cast<void*>(repr)},
      {Py_tp_doc, const_cast<char*>("The items of a streaming call, in order, for `for` and `async "
                                    "for`. The producer runs at most a few items ahead.")},
      {0, nullptr},
  };
  static PyType_Spec spec = {"thornback.ObjectStream", sizeof(ObjectStream), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  return type != nullptr &&
         PyModule_AddObjectRef(module, "ObjectStream", reinterpret_cast<PyObject*>(type)) == 0;
}

}  // namespace thornback::python
