// The CPython API and the one smart pointer of this module. Every function that can fail returns
// null or false with a Python exception set, as in the CPython API.
#pragma once

#include <Python.h>

#include <utility>

namespace thornback::python {

/// Owns one reference to a Python object, or nothing. Needs the GIL.
class Owned {
 public:
  Owned() = default;
  explicit Owned(PyObject* taken) : object_(taken) {}
  Owned(Owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    PyObject* old = std::exchange(object_, std::exchange(other.object_, nullptr));
    Py_XDECREF(old);
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { Py_XDECREF(object_); }

  static Owned share(PyObject* borrowed) {
    Py_XINCREF(borrowed);
    return Owned(borrowed);
  }
  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

/// Sets the exception class of an error code of proto/errors.json with a message in the style of
/// PyUnicode_FromFormat. Returns null, so that callers can return it.
PyObject* raise_code(const char* code, const char* format, ...);

/// Sets the exception for a status of the C ABI with the text of tbk_last_error. Returns null.
PyObject* raise_status(int status, const char* what);

}  // namespace thornback::python
