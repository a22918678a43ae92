#include "object_ref.h"

#include <structmember.h>

#include "ready_await.h"
#include "session.h"
#include "state.h"

namespace thornback::python {

PyTypeObject* ObjectRef::type = nullptr;

namespace {

constexpr size_t kFreeMax = 1024;
ObjectRef* free_list[kFreeMax];
size_t free_count = 0;

ObjectRef* as_ref(PyObject* object) {
  return reinterpret_cast<ObjectRef*>(object);
}

void dealloc(PyObject* object) {
  ObjectRef* self = as_ref(object);
  if (self->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  if (self->ref != 0 && self->generation == session().generation && session().endpoint != nullptr) {
    tbk_ref_release(session().endpoint, &self->ref, 1);
  }
  if (free_count < kFreeMax) {
    free_list[free_count++] = self;
    return;
  }
  PyTypeObject* type = Py_TYPE(object);
  PyObject_Free(object);
  Py_DECREF(type);
}

PyObject* get(PyObject* object, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
  Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  if (count + named > 1 || (named == 1 && PyUnicode_CompareWithASCIIString(
                                              PyTuple_GET_ITEM(names, 0), "timeout") != 0)) {
    PyErr_SetString(PyExc_TypeError, "get() takes one argument: timeout");
    return nullptr;
  }
  tbk_ref_t ref = ObjectRef::number(object);
  if (ref == 0) return nullptr;
  tbk_value_t value;
  tbk_status_t status = tbk_ref_read(session().endpoint, ref, &value);
  if (status == TBK_OK) return session_value(value);
  if (status != TBK_WOULD_BLOCK) return raise_status(status, "the value cannot be read");
  int64_t timeout_ns = -1;
  if (!parse_timeout(count + named == 1 ? arguments[0] : nullptr, &timeout_ns)) return nullptr;
  uint8_t ready = 0;
  int waited = wait_refs(&ref, 1, 1, timeout_ns, &ready);
  if (waited < 0) return nullptr;
  if (waited == TBK_TIMEOUT) {
    return raise_code("TIMEOUT", "the value was not ready within %R s", arguments[0]);
  }
  return read_ref(ref);
}

PyObject* is_ready(PyObject* object, PyObject*) {
  tbk_ref_t ref = ObjectRef::number(object);
  if (ref == 0) return nullptr;
  tbk_value_t value;
  tbk_status_t status = tbk_ref_read(session().endpoint, ref, &value);
  if (status == TBK_OK) Py_RETURN_TRUE;
  if (status == TBK_WOULD_BLOCK) Py_RETURN_FALSE;
  return raise_status(status, "the value cannot be read");
}

PyObject* id(PyObject* object, void*) {
  tbk_ref_t ref = ObjectRef::number(object);
  if (ref == 0) return nullptr;
  uint8_t name[16];
  tbk_status_t status = tbk_ref_id(session().endpoint, ref, name);
  if (status != TBK_OK) return raise_status(status, "the ref has no id");
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(name), sizeof name);
}

PyObject* call_hook(PyObject* hook, PyObject* object) {
  if (hook == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "thornback is not imported");
    return nullptr;
  }
  return PyObject_CallOneArg(hook, object);
}

PyObject* await(PyObject* object) {
  tbk_ref_t ref = ObjectRef::number(object);
  if (ref == 0) return nullptr;
  tbk_value_t value;
  tbk_status_t status = tbk_ref_read(session().endpoint, ref, &value);
  if (status == TBK_WOULD_BLOCK) return call_hook(state().await_ref, object);
  if (status != TBK_OK) return raise_status(status, "the value cannot be read");
  PyObject* result = session_value(value);
  return result == nullptr ? nullptr : ReadyAwait::make(result);
}
PyObject* future(PyObject* object, PyObject*) {
  return call_hook(state().future_of_ref, object);
}

PyObject* reduce(PyObject*, PyObject*) {
  return raise_code("SERIALIZATION_ERROR",
                    "an ObjectRef cannot be pickled: pass it in a call or a value of Thornback");
}

PyObject* repr(PyObject* object) {
  ObjectRef* self = as_ref(object);
  return PyUnicode_FromFormat("<ObjectRef %llu>", static_cast<unsigned long long>(self->ref));
}

Py_hash_t hash(PyObject* object) {
  ObjectRef* self = as_ref(object);
  return static_cast<Py_hash_t>(self->ref << 16 ^ self->generation);
}

PyObject* compare(PyObject* left, PyObject* right, int operation) {
  if (!ObjectRef::check(right) || (operation != Py_EQ && operation != Py_NE))
    Py_RETURN_NOTIMPLEMENTED;
  bool same = as_ref(left)->ref == as_ref(right)->ref &&
              as_ref(left)->generation == as_ref(right)->generation;
  return PyBool_FromLong(same == (operation == Py_EQ) ? 1 : 0);
}

const char* const kGetDoc =
    "get($self, timeout=None)\n--\n\n"
    "Waits for the value and returns it; `timeout` in seconds, None waits without limit.\n\n"
    "Raises WaitTimeoutError when it is not ready in time, RemoteError when the called code\n"
    "raised, another ThornbackError when the call could not be made or its worker died.";
const char* const kReadyDoc = "ready($self)\n--\n\nWhether `get` would return at once.";
const char* const kFutureDoc =
    "future($self)\n--\n\nA concurrent.futures.Future that completes with the value.";

PyMethodDef methods[] = {
    {"get", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(get)),
     METH_FASTCALL | METH_KEYWORDS, kGetDoc},
    {"ready", is_ready, METH_NOARGS, kReadyDoc},
    {"future", future, METH_NOARGS, kFutureDoc},
    {"__reduce__", reduce, METH_NOARGS, nullptr},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef properties[] = {
    {"id", id, nullptr, "Sixteen bytes that name the value in the whole session.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ObjectRef, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

}  // namespace

PyObject* ObjectRef::make(tbk_ref_t ref) {
  ObjectRef* self;
  if (free_count > 0) {
    self = free_list[--free_count];
    // The type's count of this object was kept while it lay in the list.
    PyObject_Init(reinterpret_cast<PyObject*>(self), type);
    Py_DECREF(type);
  } else {
    self = PyObject_New(ObjectRef, type);
    if (self == nullptr) {
      if (session().endpoint != nullptr) tbk_ref_release(session().endpoint, &ref, 1);
      return nullptr;
    }
  }
  self->ref = ref;
  self->generation = session().generation;
  self->weak_references = nullptr;
  return reinterpret_cast<PyObject*>(self);
}

tbk_ref_t ObjectRef::number(PyObject* object) {
  ObjectRef* self = as_ref(object);
  if (self->generation == session().generation) return self->ref;
  (void)require_generation(self->generation);
  return 0;
}

bool ObjectRef::ready(PyObject* module) {
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
      {Py_tp_methods, methods},
      {Py_tp_getset, properties},
      {Py_tp_members, members},
      {Py_tp_repr, reinterpret_cast<void*>(repr)},
      {Py_tp_hash, reinterpret_cast<void*>(hash)},
      {Py_tp_richcompare, reinterpret_cast<void*>(compare)},
      {Py_am_await, reinterpret_cast<void*>(await)},
      {Py_tp_doc, const_cast<char*>("A handle to a value that exists or will exist.\n\n"
                                    "Get the value with `get`, with `await`, or by passing the ref "
                                    "as an argument of a call.")},
      {0, nullptr},
  };
  static PyType_Spec spec = {"thornback.ObjectRef", sizeof(ObjectRef), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  return type != nullptr &&
         PyModule_AddObjectRef(module, "ObjectRef", reinterpret_cast<PyObject*>(type)) == 0;
}

}  // namespace thornback::python
