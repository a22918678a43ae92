#include "waiting.h"

#include <string_view>
#include <vector>

#include "object_ref.h"
#include "session.h"
#include "state.h"

namespace thornback::python {

/// Stores what was encoded.
static PyObject* store(Encoder& encoder) {
  Payload payload;
  if (!payload.fill(encoder)) return nullptr;
  tbk_endpoint_t* endpoint = require_endpoint();
  if (endpoint == nullptr) return nullptr;
  tbk_ref_t ref = 0;
  tbk_status_t status = tbk_put(endpoint, &payload.get(), &ref);
  if (status != TBK_OK) return raise_status(status, "the value cannot be stored");
  payload.taken();
  return ObjectRef::make(ref);
}

PyObject* put_arguments(PyObject*, PyObject* arguments) {
  PyObject* positional = nullptr;
  PyObject* keywords = nullptr;
  const char* language = nullptr;
  if (PyArg_ParseTuple(arguments, "O!O!s", &PyTuple_Type, &positional, &PyDict_Type, &keywords,
                       &language) == 0 ||
      require_endpoint() == nullptr) {
    return nullptr;
  }
  bool python = std::string_view(language) == "python";
  EncodingScope encoder(python ? Audience::kPython : Audience::kOther, language);
  if (!encoder->constructor_arguments(positional, keywords)) return nullptr;
  return store(*encoder);
}

PyObject* put(PyObject*, PyObject* value) {
  if (require_endpoint() == nullptr) return nullptr;
  if (ObjectRef::check(value)) {
    return raise_code("INVALID_ARGUMENT", "put() got an ObjectRef: it already is in the store");
  }
  EncodingScope encoder(Audience::kAny);
  return encoder->value(value, "value") ? store(*encoder) : nullptr;
}

namespace {

/// The number of item `index` of a list of refs; 0 with an exception.
tbk_ref_t ref_number(PyObject* item, size_t index, const char* function) {
  if (ObjectRef::check(item)) return ObjectRef::number(item);
  raise_code("INVALID_ARGUMENT", "%s: refs[%zu] is a %s, not an ObjectRef", function, index,
             Py_TYPE(item)->tp_name);
  return 0;
}

/// The refs of a list or tuple, kept alive for the time of a wait during which other threads may
/// change the list.
struct RefList {
  Owned objects;
  std::vector<tbk_ref_t> refs;
  std::vector<uint8_t> ready;

  bool fill(PyObject* sequence, const char* function) {
    objects = Owned(PySequence_Tuple(sequence));
    if (!objects) return false;
    auto count = static_cast<size_t>(PyTuple_GET_SIZE(objects.get()));
    refs.resize(count);
    for (size_t i = 0; i < count; ++i) {
      refs[i] = ref_number(object(i), i, function);
      if (refs[i] == 0) return false;
    }
    return true;
  }
  PyObject* object(size_t i) const {
    return PyTuple_GET_ITEM(objects.get(), static_cast<Py_ssize_t>(i));
  }
  uint32_t count() const { return static_cast<uint32_t>(refs.size()); }
};

PyObject* get_many(PyObject* sequence, PyObject* timeout) {
  if (require_endpoint() == nullptr) return nullptr;
  RefList list;
  int64_t timeout_ns = -1;
  if (!list.fill(sequence, "get()") || !parse_timeout(timeout, &timeout_ns)) return nullptr;
  list.ready.resize(list.count());
  if (list.count() > 0) {
    int waited =
        wait_refs(list.refs.data(), list.count(), list.count(), timeout_ns, list.ready.data());
    if (waited < 0) return nullptr;
    if (waited == TBK_TIMEOUT) {
      size_t missing = 0;
      for (uint8_t ready : list.ready) missing += ready == 0 ? 1 : 0;
      return raise_code("TIMEOUT", "%zu of %zu values were not ready within %R s", missing,
                        list.refs.size(), timeout);
    }
  }
  Owned values(PyList_New(static_cast<Py_ssize_t>(list.refs.size())));
  if (!values) return nullptr;
  uint32_t generation = session().generation;
  for (size_t i = 0; i < list.refs.size(); ++i) {
    if (require_generation(generation) == nullptr) return nullptr;  // a hook ran other threads
    PyObject* value = read_ref(list.refs[i]);
    if (value == nullptr) return nullptr;
    PyList_SET_ITEM(values.get(), static_cast<Py_ssize_t>(i), value);
  }
  return values.release();
}

/// Sorts refs from the front into ready and pending ones, until `want` are ready or all were looked
/// at.
bool look(PyObject* refs, size_t want, size_t* looked, PyObject* ready, PyObject* pending) {
  tbk_endpoint_t* endpoint = session().endpoint;
  tbk_value_t value;
  size_t found = 0;
  auto count = static_cast<size_t>(PyList_GET_SIZE(refs));
  for (; *looked < count && found < want; ++*looked) {
    PyObject* item = PyList_GET_ITEM(refs, static_cast<Py_ssize_t>(*looked));
    tbk_ref_t number = ref_number(item, *looked, "wait()");
    if (number == 0) return false;
    bool is_ready = tbk_ref_read(endpoint, number, &value) == TBK_OK;
    found += is_ready ? 1 : 0;
    if (PyList_Append(is_ready ? ready : pending, item) < 0) return false;
  }
  return true;
}

/// Blocks until `want` refs are ready or the time is over.
PyObject* wait_for(PyObject* refs, size_t want, int64_t timeout_ns) {
  RefList list;
  if (!list.fill(refs, "wait()")) return nullptr;
  list.ready.assign(list.count(), 0);
  int waited = wait_refs(list.refs.data(), list.count(), static_cast<uint32_t>(want), timeout_ns,
                         list.ready.data());
  if (waited < 0) return nullptr;
  Owned ready(PyList_New(0));
  Owned pending(PyList_New(0));
  if (!ready || !pending) return nullptr;
  size_t found = 0;
  for (size_t i = 0; i < list.refs.size(); ++i) {
    bool take = list.ready[i] != 0 && found < want;
    found += take ? 1 : 0;
    if (PyList_Append(take ? ready.get() : pending.get(), list.object(i)) < 0) return nullptr;
  }
  return PyTuple_Pack(2, ready.get(), pending.get());
}

}  // namespace

PyObject* get(PyObject*, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
  Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  bool fits = count >= 1 && count + named <= 2;
  if (fits && named == 1) {
    fits = PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "timeout") == 0;
  }
  if (!fits) {
    PyErr_SetString(PyExc_TypeError, "get() takes refs and an optional timeout");
    return nullptr;
  }
  PyObject* timeout = count + named == 2 ? arguments[1] : Py_None;
  PyObject* refs = arguments[0];
  if (ObjectRef::check(refs)) {
    PyObject* method_arguments[] = {refs, timeout};
    static PyObject* name = PyUnicode_InternFromString("get");
    return PyObject_VectorcallMethod(name, method_arguments, 2, nullptr);
  }
  if (PyList_Check(refs) || PyTuple_Check(refs)) return get_many(refs, timeout);
  return raise_code("INVALID_ARGUMENT", "get() got a %s: it takes an ObjectRef or a list of them",
                    Py_TYPE(refs)->tp_name);
}

PyObject* wait(PyObject*, PyObject* const* arguments, Py_ssize_t given) {
  if (given != 3) {
    PyErr_SetString(PyExc_TypeError, "wait() takes refs, num_returns and timeout");
    return nullptr;
  }
  if (require_endpoint() == nullptr) return nullptr;
  int64_t timeout_ns = -1;
  if (!parse_timeout(arguments[2], &timeout_ns)) return nullptr;
  size_t want = PyLong_AsSize_t(arguments[1]);
  if (want == static_cast<size_t>(-1) && PyErr_Occurred() != nullptr) return nullptr;
  // No Python code runs while it is looked through, so a list needs no copy.
  Owned refs(PyList_CheckExact(arguments[0]) ? Py_NewRef(arguments[0])
                                             : PySequence_List(arguments[0]));
  if (!refs) return nullptr;
  auto count = static_cast<size_t>(PyList_GET_SIZE(refs.get()));
  if (want < 1 || want > count) {
    return raise_code("INVALID_ARGUMENT",
                      "num_returns is %R: it must be 1 to %zu, the number of refs", arguments[1],
                      count);
  }
  Owned ready(PyList_New(0));
  Owned passed(PyList_New(0));
  if (!ready || !passed) return nullptr;
  // Programs wait in a loop, each time for one more of many: stop looking as soon as there are
  // enough.
  size_t looked = 0;
  if (!look(refs.get(), want, &looked, ready.get(), passed.get())) return nullptr;
  if (static_cast<size_t>(PyList_GET_SIZE(ready.get())) < want) {
    return wait_for(refs.get(), want, timeout_ns);
  }
  Owned pending(PyList_GetSlice(refs.get(), static_cast<Py_ssize_t>(looked), PY_SSIZE_T_MAX));
  bool whole = pending && (PyList_GET_SIZE(passed.get()) == 0 ||
                           PyList_SetSlice(pending.get(), 0, 0, passed.get()) == 0);
  return whole ? PyTuple_Pack(2, ready.get(), pending.get()) : nullptr;
}

}  // namespace thornback::python
