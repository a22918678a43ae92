// How a refusal becomes SerializationError with the path of the member.
#include <cstdarg>

#include "encoder.h"
#include "state.h"

namespace thornback::python {

// ---- failures
// ------------------------------------------------------------------------------------------------------

bool Encoder::refuse(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  Owned message(PyUnicode_FromFormatV(format, arguments));
  va_end(arguments);
  if (message) PyErr_SetObject(state().refused, message.get());
  return false;
}

bool Encoder::under_index(size_t index) {
  path_.push_back("[" + std::to_string(index) + "]");
  return false;
}

bool Encoder::under_key(PyObject* key) {
  PyObject* type = nullptr;
  PyObject* error = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &error, &trace);
  std::string text = "[?]";
  if (PyUnicode_Check(key) || PyLong_Check(key) || PyFloat_Check(key)) {
    Owned shown(PyObject_Repr(key));
    const char* utf8 = shown ? PyUnicode_AsUTF8(shown.get()) : nullptr;
    if (utf8 != nullptr) text = "[" + std::string(utf8) + "]";
    PyErr_Clear();
  }
  path_.push_back(text);
  PyErr_Restore(type, error, trace);
  return false;
}

/// Turns the private exception of a refusal into SerializationError; other exceptions pass as they
/// are.
bool Encoder::fail_at(const std::string& root) {
  if (!PyErr_ExceptionMatches(state().refused)) return false;
  PyObject* type = nullptr;
  PyObject* error = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &error, &trace);
  PyErr_NormalizeException(&type, &error, &trace);
  Owned keep_type(type);
  Owned refusal(error);
  Owned keep_trace(trace);
  std::string path = root;
  constexpr size_t kShown = 12;
  for (size_t i = path_.size(); i > 0; --i) {
    size_t position = path_.size() - i;
    bool shown = path_.size() <= 2 * kShown || position < kShown || i <= kShown;
    if (shown) path += path_[i - 1];
    if (!shown && position == kShown) path += "...";
  }
  path_.clear();
  Owned arguments(PyObject_GetAttrString(refusal.get(), "args"));
  if (!arguments) return false;
  Owned text(PySequence_GetItem(arguments.get(), 0));
  Owned below(PySequence_Size(arguments.get()) > 1 ? PySequence_GetItem(arguments.get(), 1)
                                                   : PyUnicode_FromString(""));
  if (!text || !below) return false;
  raise_code("SERIALIZATION_ERROR", "%s%S cannot be sent: %S", path.c_str(), below.get(),
             text.get());
  Owned cause(PyException_GetCause(refusal.get()));
  if (!cause) return false;
  PyErr_Fetch(&type, &error, &trace);
  PyErr_NormalizeException(&type, &error, &trace);
  PyException_SetCause(error, cause.release());
  PyErr_Restore(type, error, trace);
  return false;
}

}  // namespace thornback::python
