#include "hold.h"

#include "session.h"

namespace thornback::python {

PyTypeObject* Hold::type = nullptr;

static Hold* make_hold(const uint8_t* data, uint64_t size) {
  auto* self = PyObject_New(Hold, Hold::type);
  if (self == nullptr) return nullptr;
  self->data = data;
  self->size = size;
  self->ref = 0;
  self->generation = 0;
  self->whole = nullptr;
  return self;
}

PyObject* Hold::of_ref(tbk_ref_t ref, const uint8_t* data, uint64_t size) {
  Hold* self = make_hold(data, size);
  if (self == nullptr) return nullptr;
  tbk_status_t status = tbk_ref_retain(session().endpoint, ref);
  if (status != TBK_OK) {
    Py_DECREF(self);
    return raise_status(status, "a stored value cannot be kept");
  }
  self->ref = ref;
  self->generation = session().generation;
  return reinterpret_cast<PyObject*>(self);
}

PyObject* Hold::part(PyObject* whole, const uint8_t* data, uint64_t size) {
  Hold* self = make_hold(data, size);
  if (self != nullptr) self->whole = Py_NewRef(whole);
  return reinterpret_cast<PyObject*>(self);
}

static void hold_dealloc(PyObject* object) {
  auto* self = reinterpret_cast<Hold*>(object);
  // After a shutdown the engine keeps the mapping, and the number means nothing.
  if (self->ref != 0 && self->generation == session().generation) {
    tbk_ref_release(session().endpoint, &self->ref, 1);
  }
  Py_XDECREF(self->whole);
  PyTypeObject* type = Py_TYPE(object);
  PyObject_Free(object);
  Py_DECREF(type);
}

static int hold_get_buffer(PyObject* object, Py_buffer* view, int flags) {
  auto* self = reinterpret_cast<Hold*>(object);
  return PyBuffer_FillInfo(view, object, const_cast<uint8_t*>(self->data),
                           static_cast<Py_ssize_t>(self->size), 1, flags);
}

bool Hold::ready(PyObject* module) {
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(hold_dealloc)},
      {Py_bf_getbuffer, reinterpret_cast<void*>(hold_get_buffer)},
      {Py_tp_doc, const_cast<char*>("Keeps stored bytes alive for the views over them.")},
      {0, nullptr},
  };
  static PyType_Spec spec = {"thornback._native._Hold", sizeof(Hold), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  return type != nullptr &&
         PyModule_AddObjectRef(module, "_Hold", reinterpret_cast<PyObject*>(type)) == 0;
}

}  // namespace thornback::python
