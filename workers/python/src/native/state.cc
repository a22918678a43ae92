#include "state.h"

#include <cstdarg>

#include "thornback.h"

namespace thornback::python {

State& state() {
  static State instance;
  return instance;
}

PyObject* raise_code(const char* code, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  Owned message(PyUnicode_FromFormatV(format, arguments));
  va_end(arguments);
  if (!message) return nullptr;
  PyObject* type = state().error_classes != nullptr
                       ? PyDict_GetItemString(state().error_classes, code)
                       : nullptr;
  PyErr_SetObject(type != nullptr ? type : PyExc_RuntimeError, message.get());
  return nullptr;
}

static const char* code_of_status(int status) {
  switch (status) {
    case TBK_TIMEOUT: return "TIMEOUT";
    case TBK_BACK_PRESSURE: return "BACK_PRESSURE";
    case TBK_CLOSED: return "SESSION_CLOSED";
    case TBK_INVALID: return "INVALID_ARGUMENT";
    case TBK_NOT_FOUND: return "NOT_FOUND";
    case TBK_STORE_FULL: return "STORE_FULL";
    case TBK_NO_MEMORY: return "OUT_OF_MEMORY";
    case TBK_VERSION_MISMATCH: return "VERSION_MISMATCH";
    case TBK_PROTOCOL: return "PROTOCOL_ERROR";
    case TBK_IO: return "SYSTEM_ERROR";
    case TBK_PEER_DEAD: return "ACTOR_DIED";
    default: return "INTERNAL";
  }
}

PyObject* raise_status(int status, const char* what) {
  const char* text = tbk_last_error();
  const char* name = tbk_status_name(static_cast<tbk_status_t>(status));
  return raise_code(code_of_status(status), "%s: %s", what, text[0] != 0 ? text : name);
}

static bool load_numpy(PyObject* module) {
  State& s = state();
  Owned array(PyObject_GetAttrString(module, "ndarray"));
  Owned generic(PyObject_GetAttrString(module, "generic"));
  Owned float64(PyObject_GetAttrString(module, "float64"));
  Owned dtype(PyObject_GetAttrString(module, "dtype"));
  Owned dtypes(PyDict_New());
  if (!array || !generic || !float64 || !dtype || !dtypes) return false;
  static const char* const kNames[] = {"|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2",
                                       "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"};
  for (const char* name : kNames) {
    Owned entry(PyObject_CallFunction(dtype.get(), "s", name));
    if (!entry || PyDict_SetItemString(dtypes.get(), name, entry.get()) < 0) return false;
  }
  s.numpy_array = array.release();
  s.numpy_generic = generic.release();
  s.numpy_float64 = float64.release();
  s.numpy_dtypes = dtypes.release();
  return true;
}

bool numpy_loaded() {
  if (state().numpy_array != nullptr) return true;
  static PyObject* name = PyUnicode_InternFromString("numpy");
  Owned module(PyImport_GetModule(name));
  if (module && load_numpy(module.get())) return true;
  PyErr_Clear();  // not imported, or in the middle of its import: no value is an array yet
  return false;
}

bool numpy_require() {
  if (state().numpy_array != nullptr) return true;
  Owned module(PyImport_ImportModule("numpy"));
  return module && load_numpy(module.get());
}

}  // namespace thornback::python
