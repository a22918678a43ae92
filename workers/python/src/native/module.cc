// The module thornback._native: the C ABI one to one where a call is rare (nanobind), and the types
// and functions of the hot paths, which use the CPython API directly.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string_view>

#include "async_calls.h"
#include "bind.h"
#include "caller.h"
#include "decoder.h"
#include "encoder.h"
#include "events.h"
#include "hold.h"
#include "object_ref.h"
#include "object_stream.h"
#include "ready_await.h"
#include "running.h"
#include "server.h"
#include "state.h"
#include "waiting.h"

namespace nb = nanobind;

namespace thornback::python {
namespace {

/// encode(value, language, refs) -> (blob, refs): the codec alone, for tests and for hooks.
PyObject* encode(PyObject*, PyObject* arguments) {
  PyObject* value = nullptr;
  const char* language = nullptr;
  PyObject* ref_list = nullptr;
  if (PyArg_ParseTuple(arguments, "OsO!", &value, &language, &PyList_Type, &ref_list) == 0)
    return nullptr;
  Audience audience = language[0] == 0                         ? Audience::kAny
                      : std::string_view(language) == "python" ? Audience::kPython
                                                               : Audience::kOther;
  EncodingScope encoder(audience, language);
  std::vector<tbk_ref_t> refs;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(ref_list); ++i) {
    PyObject* item = PyList_GET_ITEM(ref_list, i);
    if (!ObjectRef::check(item))
      return PyErr_Format(PyExc_TypeError, "refs[%zd] is no ObjectRef", i);
    refs.push_back(reinterpret_cast<ObjectRef*>(item)->ref);
  }
  encoder->preload_refs(refs);
  if (!encoder->value(value, "value")) return nullptr;
  Owned blob(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(encoder->blob_size())));
  Owned numbers(PyList_New(0));
  if (!blob || !numbers) return nullptr;
  encoder->write_blob(reinterpret_cast<uint8_t*>(PyBytes_AS_STRING(blob.get())));
  for (const tbk_ref_entry_t& entry : encoder->refs()) {
    Owned number(PyLong_FromUnsignedLongLong(entry.ref));
    if (!number || PyList_Append(numbers.get(), number.get()) < 0) return nullptr;
  }
  return PyTuple_Pack(2, blob.get(), numbers.get());
}

/// encode_call(args, kwargs, language) -> blob: what a call's arguments become, for tests.
PyObject* encode_call(PyObject*, PyObject* arguments) {
  PyObject* positional = nullptr;
  PyObject* keywords = nullptr;
  const char* language = nullptr;
  if (PyArg_ParseTuple(arguments, "O!O!s", &PyTuple_Type, &positional, &PyDict_Type, &keywords,
                       &language) == 0) {
    return nullptr;
  }
  Owned names(PySequence_Tuple(keywords));
  if (!names) return nullptr;
  std::vector<PyObject*> items;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(positional); ++i) {
    items.push_back(PyTuple_GET_ITEM(positional, i));
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names.get()); ++i) {
    items.push_back(PyDict_GetItemWithError(keywords, PyTuple_GET_ITEM(names.get(), i)));
  }
  bool python = std::string_view(language) == "python";
  EncodingScope encoder(python ? Audience::kPython : Audience::kOther, language);
  auto count = static_cast<size_t>(PyTuple_GET_SIZE(positional));
  bool named = PyTuple_GET_SIZE(names.get()) > 0;
  if (!encoder->arguments(items.data(), count, named ? names.get() : nullptr)) return nullptr;
  Owned blob(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(encoder->blob_size())));
  if (blob) encoder->write_blob(reinterpret_cast<uint8_t*>(PyBytes_AS_STRING(blob.get())));
  return blob.release();
}

PyObject* decode(PyObject*, PyObject* arguments) {
  Py_buffer blob;
  PyObject* ref_list = nullptr;
  int call = 0;
  if (PyArg_ParseTuple(arguments, "y*O!p", &blob, &PyList_Type, &ref_list, &call) == 0)
    return nullptr;
  Decoder decoder(static_cast<const uint8_t*>(blob.buf), static_cast<size_t>(blob.len), ref_list);
  PyObject* result = nullptr;
  if (call == 0) {
    result = decoder.value();
  } else {
    CallArguments out;
    if (decoder.arguments(out)) {
      Owned items(PyTuple_New(static_cast<Py_ssize_t>(out.count())));
      for (size_t i = 0; items && i < out.count(); ++i) {
        PyTuple_SET_ITEM(items.get(), static_cast<Py_ssize_t>(i), Py_NewRef(out.items()[i]));
      }
      PyObject* names = out.keyword_names != nullptr ? out.keyword_names : Py_None;
      if (items)
        result =
            Py_BuildValue("(OnO)", items.get(), static_cast<Py_ssize_t>(out.positional), names);
    }
  }
  PyBuffer_Release(&blob);
  return result;
}

/// Index of a ref in the blob that is being encoded, for pickles that hold refs.
PyObject* current_ref_index(PyObject*, PyObject* ref) {
  Encoder* encoder = EncodingScope::current();
  if (encoder == nullptr || !ObjectRef::check(ref)) {
    PyErr_SetString(PyExc_RuntimeError, "no ObjectRef, or nothing is being encoded");
    return nullptr;
  }
  tbk_ref_t number = ObjectRef::number(ref);
  return number == 0 ? nullptr : PyLong_FromUnsignedLong(encoder->ref_index(number, 0));
}

PyObject* current_ref(PyObject*, PyObject* index) {
  Decoder* decoder = Decoder::current();
  uint64_t position = PyLong_AsUnsignedLongLong(index);
  if (PyErr_Occurred() != nullptr) return nullptr;
  if (decoder != nullptr) return decoder->ref_object(position);
  PyErr_SetString(PyExc_RuntimeError, "nothing is being decoded");
  return nullptr;
}

PyObject* test_ref(PyObject*, PyObject* number) {
  uint64_t value = PyLong_AsUnsignedLongLong(number);
  return PyErr_Occurred() != nullptr ? nullptr : ObjectRef::make(value);
}

PyObject* set_hooks(PyObject*, PyObject*, PyObject* keywords) {
  State& s = state();
  const std::pair<const char*, PyObject**> hooks[] = {
      {"reduce", &s.reduce},
      {"restore", &s.restore},
      {"await_ref", &s.await_ref},
      {"await_item", &s.await_item},
      {"future_of_ref", &s.future_of_ref},
      {"error_classes", &s.error_classes},
      {"own_error", &s.own_error},
      {"raised_error", &s.raised_error},
      {"resolve", &s.resolve},
      {"start_async", &s.start_async},
      {"start_thread", &s.start_thread},
      {"mismatch", &s.mismatch},
      {"on_exit", &s.on_exit},
      {"on_cancel", &s.on_cancel},
      {"on_credit", &s.on_credit},
  };
  for (const auto& [name, slot] : hooks) {
    PyObject* hook = PyDict_GetItemString(keywords, name);
    if (hook != nullptr) Py_XSETREF(*slot, Py_NewRef(hook));
  }
  Py_RETURN_NONE;
}

PyCFunction function(PyObject* (*fast)(PyObject*, PyObject* const*, Py_ssize_t)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(fast));
}
PyCFunction function(PyObject* (*fast)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(fast));
}
PyCFunction function(PyObject* (*with_keywords)(PyObject*, PyObject*, PyObject*)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(with_keywords));
}

PyMethodDef functions[] = {
    {"encode", encode, METH_VARARGS, nullptr},
    {"encode_call", encode_call, METH_VARARGS, nullptr},
    {"decode", decode, METH_VARARGS, nullptr},
    {"current_ref_index", current_ref_index, METH_O, nullptr},
    {"current_ref", current_ref, METH_O, nullptr},
    {"test_ref", test_ref, METH_O, nullptr},
    {"set_hooks", function(set_hooks), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"put", put, METH_O, nullptr},
    {"put_arguments", put_arguments, METH_VARARGS, nullptr},
    {"get", function(get), METH_FASTCALL | METH_KEYWORDS, nullptr},
    {"wait", function(wait), METH_FASTCALL, nullptr},
    {"make_caller", make_caller, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace
}  // namespace thornback::python

NB_MODULE(_native, m) {
  using namespace thornback::python;
  state().refused = PyErr_NewException("thornback._native.Refused", nullptr, nullptr);
  bool ready = state().refused != nullptr &&
               PyModule_AddObjectRef(m.ptr(), "Refused", state().refused) == 0 &&
               ObjectRef::ready(m.ptr()) && ObjectStream::ready(m.ptr()) &&
               Caller::ready(m.ptr()) && Hold::ready(m.ptr()) && ReadyAwait::ready(m.ptr()) &&
               PyModule_AddFunctions(m.ptr(), functions) == 0 &&
               PyModule_AddFunctions(m.ptr(), event_functions) == 0 &&
               PyModule_AddFunctions(m.ptr(), server_functions) == 0 &&
               PyModule_AddFunctions(m.ptr(), running_functions) == 0 &&
               PyModule_AddFunctions(m.ptr(), async_functions) == 0 &&
               PyModule_AddObjectRef(m.ptr(), "PENDING", stream_pending()) == 0 &&
               PyModule_AddObjectRef(m.ptr(), "END", stream_end()) == 0;
  if (!ready) nb::raise_python_error();
  nb::set_leak_warnings(false);  // refs that live as long as the interpreter are no leak
  bind_session(m);
}
