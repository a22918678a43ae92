#include "caller.h"

#include <structmember.h>

#include <cstring>

#include "object_ref.h"
#include "object_stream.h"
#include "running.h"
#include "session.h"
#include "state.h"

namespace thornback::python {

PyTypeObject* Caller::type = nullptr;

namespace {

Caller* as_caller(PyObject* object) {
  return reinterpret_cast<Caller*>(object);
}

PyObject* submit(Caller* self, uint32_t flags, PyObject* const* items, size_t count,
                 PyObject* names) {
  if (self->generation != session().generation) {
    if (self->rebind != nullptr) return PyObject_Vectorcall(self->rebind, items, count, names);
    if (require_generation(self->generation) == nullptr) return nullptr;
  }
  EncodingScope encoder(self->audience, self->language);
  Payload payload;
  if (!encoder->arguments(items, count, names) || !payload.fill(*encoder)) return nullptr;
  if (self->generation != session().generation)
    return reinterpret_cast<PyObject*>(require_generation(self->generation));
  tbk_call_t call;
  call.result = take_result();
  if (call.result == 0) return nullptr;
  call.target = self->target_number;
  call.function = self->function;
  call.flags = flags;
  call.options = self->options;
  call.parent = current_call();
  call.timeout_ns = self->timeout_ns;
  call.args = payload.get();
  if (!submit_call(call, self->when_full)) {
    if (session().generation == self->generation) session().reserved.push_back(call.result);
    return nullptr;
  }
  payload.taken();
  return (flags & TBK_CALL_STREAM) != 0 ? ObjectStream::make(call.result)
                                        : ObjectRef::make(call.result);
}

PyObject* vectorcall(PyObject* object, PyObject* const* items, size_t count, PyObject* names) {
  Caller* self = as_caller(object);
  return submit(self, self->flags, items, static_cast<size_t>(PyVectorcall_NARGS(count)), names);
}

PyObject* remote(PyObject* object, PyObject* const* items, Py_ssize_t count, PyObject* names) {
  Caller* self = as_caller(object);
  return submit(self, self->flags, items, static_cast<size_t>(count), names);
}

/// How a call site makes its calls.
struct How {
  int stream = 0;
  unsigned long long timeout_ns = 0;
  unsigned int options = 0;
  int when_full = 0;
  PyObject* settings = nullptr;

  void apply(Caller* to) const {
    to->flags = stream != 0 ? uint32_t{TBK_CALL_STREAM} : 0U;
    to->timeout_ns = timeout_ns;
    to->options = options;
    to->when_full = static_cast<WhenFull>(when_full);
    to->settings = Py_NewRef(settings);
  }
};

/// A copy of the call site that differs in how: _variant((stream, timeout_ns, options, when_full),
/// settings)
PyObject* variant(PyObject* object, PyObject* arguments) {
  How how;
  if (PyArg_ParseTuple(arguments, "(pKIi)O", &how.stream, &how.timeout_ns, &how.options,
                       &how.when_full, &how.settings) == 0) {
    return nullptr;
  }
  Caller* self = as_caller(object);
  auto* copy = PyObject_GC_New(Caller, Caller::type);
  if (copy == nullptr) return nullptr;
  copy->vectorcall = vectorcall;
  copy->target = Py_XNewRef(self->target);
  copy->owner = Py_XNewRef(self->owner);
  copy->rebind = nullptr;
  copy->name = Py_XNewRef(self->name);
  copy->target_number = self->target_number;
  copy->function = self->function;
  copy->generation = self->generation;
  how.apply(copy);
  copy->audience = self->audience;
  copy->language = self->language;
  PyObject_GC_Track(copy);
  return reinterpret_cast<PyObject*>(copy);
}

PyObject* options(PyObject* object, PyObject* arguments, PyObject* keywords) {
  static PyObject* hook_name = PyUnicode_InternFromString("_call_options");
  if (as_caller(object)->owner == nullptr) {
    PyErr_SetString(PyExc_TypeError, "this call has no options");
    return nullptr;
  }
  Owned hook(PyObject_GetAttr(as_caller(object)->owner, hook_name));
  Owned all(PyTuple_New(PyTuple_GET_SIZE(arguments) + 1));
  if (!hook || !all) return nullptr;
  PyTuple_SET_ITEM(all.get(), 0, Py_NewRef(object));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(arguments); ++i) {
    PyTuple_SET_ITEM(all.get(), i + 1, Py_NewRef(PyTuple_GET_ITEM(arguments, i)));
  }
  return PyObject_Call(hook.get(), all.get(), keywords);
}

PyObject* stream(PyObject* object, PyObject* const* items, Py_ssize_t count, PyObject* names) {
  return submit(as_caller(object), TBK_CALL_STREAM, items, static_cast<size_t>(count), names);
}

int traverse(PyObject* object, visitproc visit, void* arg) {
  Caller* self = as_caller(object);
  Py_VISIT(self->target);
  Py_VISIT(self->owner);
  Py_VISIT(self->rebind);
  Py_VISIT(Py_TYPE(object));
  return 0;
}

int clear(PyObject* object) {
  Caller* self = as_caller(object);
  Py_CLEAR(self->target);
  Py_CLEAR(self->owner);
  Py_CLEAR(self->rebind);
  return 0;
}

void dealloc(PyObject* object) {
  PyObject_GC_UnTrack(object);
  clear(object);
  Py_CLEAR(as_caller(object)->name);
  Py_CLEAR(as_caller(object)->settings);
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_Del(object);
  Py_DECREF(type);
}

PyObject* repr(PyObject* object) {
  return PyUnicode_FromFormat("<remote method %U>", as_caller(object)->name);
}

const char* const kRemoteDoc =
    "remote($self, /, *args, **kwargs)\n--\n\n"
    "Submits the call and returns an ObjectRef, or an ObjectStream for a generator.\n\n"
    "Arguments that are ObjectRefs are replaced by their values. Raises SerializationError for\n"
    "an argument that cannot be sent; failures of the call itself arrive with its result.";
const char* const kStreamDoc =
    "stream($self, /, *args, **kwargs)\n--\n\n"
    "Submits the call and returns an ObjectStream over the items that it yields.";
const char* const kOptionsDoc =
    "options($self, /, **options)\n--\n\nThe same call with other options.";

PyMethodDef methods[] = {
    {"remote", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(remote)),
     METH_FASTCALL | METH_KEYWORDS, kRemoteDoc},
    {"stream", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(stream)),
     METH_FASTCALL | METH_KEYWORDS, kStreamDoc},
    {"options", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(options)),
     METH_VARARGS | METH_KEYWORDS, kOptionsDoc},
    {"_variant", variant, METH_VARARGS, nullptr},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Caller, vectorcall), READONLY, nullptr},
    {"_name", T_OBJECT, offsetof(Caller, name), READONLY, nullptr},
    {"_settings", T_OBJECT, offsetof(Caller, settings), READONLY, nullptr},
    {"_target", T_UINT, offsetof(Caller, target_number), READONLY, nullptr},
    {"_generation", T_UINT, offsetof(Caller, generation), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

}  // namespace

/// Names of languages live as long as the module.
static const char* static_name(const char* language) {
  static const char* const kNames[] = {"python", "typescript", "java", "cpp"};
  for (const char* name : kNames) {
    if (std::strcmp(name, language) == 0) return name;
  }
  return "another language";
}

PyObject* make_caller(PyObject*, PyObject* arguments) {
  PyObject* target = nullptr;
  PyObject* name = nullptr;
  PyObject* owner = nullptr;
  PyObject* rebind = nullptr;
  unsigned int target_number = 0;
  unsigned int function = 0;
  const char* language = nullptr;
  How how;
  if (PyArg_ParseTuple(arguments, "OIIUs(pKIi)OOO", &target, &target_number, &function, &name,
                       &language, &how.stream, &how.timeout_ns, &how.options, &how.when_full,
                       &how.settings, &owner, &rebind) == 0) {
    return nullptr;
  }
  auto* self = PyObject_GC_New(Caller, Caller::type);
  if (self == nullptr) return nullptr;
  self->vectorcall = vectorcall;
  self->target = Py_NewRef(target);
  self->owner = owner == Py_None ? nullptr : Py_NewRef(owner);
  self->rebind = rebind == Py_None ? nullptr : Py_NewRef(rebind);
  self->name = Py_NewRef(name);
  self->target_number = target_number;
  self->function = function;
  self->generation = session().generation;
  how.apply(self);
  self->audience = std::strcmp(language, "python") == 0 ? Audience::kPython : Audience::kOther;
  self->language = static_name(language);
  PyObject_GC_Track(self);
  return reinterpret_cast<PyObject*>(self);
}

bool Caller::ready(PyObject* module) {
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
      {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(clear)},
      {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
      {Py_tp_methods, methods},
      {Py_tp_members, members},
      {Py_tp_repr, reinterpret_cast<void*>(repr)},
      {Py_tp_doc, const_cast<char*>("A method of a remote actor: call it with `remote`.")},
      {0, nullptr},
  };
  static PyType_Spec spec = {"thornback.RemoteMethod", sizeof(Caller), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             slots};
  type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  return type != nullptr &&
         PyModule_AddObjectRef(module, "RemoteMethod", reinterpret_cast<PyObject*>(type)) == 0;
}

}  // namespace thornback::python
