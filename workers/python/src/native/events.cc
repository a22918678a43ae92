#include "events.h"

#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "object_ref.h"
#include "object_stream.h"
#include "running.h"
#include "server.h"
#include "session.h"
#include "state.h"

namespace thornback::python {
namespace {

struct Watch {
  PyObject* holder;  // the ObjectRef or ObjectStream: keeps the number counted
  PyObject* future;
};

struct Events {
  std::unordered_multimap<tbk_ref_t, Watch> watches;
  std::unordered_multimap<tbk_target_t, PyObject*> rooms;  // futures that wait for room
  std::deque<tbk_event_t> kept;  // calls that arrived while nobody could serve them
  bool shutdown = false;
};

Events& events() {
  static Events instance;
  return instance;
}

/// Hands the outcome that is set in Python's error indicator, or `value`, to the future. Futures
/// that were cancelled meanwhile refuse it; that is no error.
void complete(PyObject* future, PyObject* value) {
  static PyObject* done = PyUnicode_InternFromString("done");
  static PyObject* set_result = PyUnicode_InternFromString("set_result");
  static PyObject* set_exception = PyUnicode_InternFromString("set_exception");
  Owned kept(value);
  Owned error;
  if (value == nullptr) {
    PyObject* type = nullptr;
    PyObject* instance = nullptr;
    PyObject* trace = nullptr;
    PyErr_Fetch(&type, &instance, &trace);
    PyErr_NormalizeException(&type, &instance, &trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    error = Owned(instance);
  }
  Owned is_done(PyObject_CallMethodNoArgs(future, done));
  if (is_done && is_done.get() == Py_False) {
    PyObject* method = error ? set_exception : set_result;
    Owned result(PyObject_CallMethodOneArg(future, method, error ? error.get() : kept.get()));
    if (!result) PyErr_Clear();
  }
  PyErr_Clear();
}

void on_ready(const tbk_event_t& event) {
  auto& watches = events().watches;
  auto [first, last] = watches.equal_range(event.ref);
  std::vector<Watch> found;
  for (auto it = first; it != last; ++it) found.push_back(it->second);
  watches.erase(first, last);
  for (const Watch& watch : found) {
    // A stream has no value of its own: the waiter asks for its next item.
    PyObject* value = ObjectStream::check(watch.holder) ? Py_NewRef(Py_None) : read_ref(event.ref);
    complete(watch.future, value);
    Py_DECREF(watch.future);
    Py_DECREF(watch.holder);
  }
}

void on_room(tbk_target_t target) {
  auto [first, last] = events().rooms.equal_range(target);
  std::vector<Owned> found;
  for (auto it = first; it != last; ++it) found.emplace_back(it->second);
  events().rooms.erase(first, last);
  for (const Owned& future : found) complete(future.get(), Py_NewRef(Py_None));
}

bool is_for_server(uint32_t kind) {
  return kind == TBK_EVENT_CALL || kind == TBK_EVENT_CANCEL || kind == TBK_EVENT_CREDIT;
}

/// Serves what was kept. False with an exception.
bool serve_kept() {
  auto& kept = events().kept;
  while (!kept.empty()) {
    tbk_event_t event = kept.front();
    kept.pop_front();
    if (!serve_event(event, true)) return false;
  }
  return true;
}

bool dispatch(const tbk_event_t* taken, uint32_t count, bool serve) {
  // Futures first: code that is served may wait for one of them.
  for (uint32_t i = 0; i < count; ++i) {
    if (taken[i].kind == TBK_EVENT_READY) on_ready(taken[i]);
    if (taken[i].kind == TBK_EVENT_ROOM) on_room(taken[i].instance);
    if (taken[i].kind == TBK_EVENT_SHUTDOWN) events().shutdown = true;
    if (!serve && is_for_server(taken[i].kind)) events().kept.push_back(taken[i]);
  }
  if (!serve) return true;
  if (!serve_kept()) return false;  // older than these
  for (uint32_t i = 0; i < count; ++i) {
    if (is_for_server(taken[i].kind) && !serve_event(taken[i])) return false;
  }
  return serve_kept();
}

}  // namespace

int pump_events(int64_t timeout_ns, bool serve) {
  constexpr uint32_t kBatch = 64;
  tbk_event_t taken[kBatch];
  uint32_t count = 0;
  tbk_endpoint_t* endpoint = require_endpoint();
  if (endpoint == nullptr) return -1;
  if (serve && !events().kept.empty()) timeout_ns = 0;
  if (serve) forget_cancel_signals();
  tbk_status_t status = tbk_poll(endpoint, taken, kBatch, 0, &count);
  if (count == 0 && timeout_ns != 0 &&
      (status == TBK_OK || status == TBK_WOULD_BLOCK || status == TBK_TIMEOUT)) {
    {
      Unlocked unlocked;
      status = tbk_poll(endpoint, taken, kBatch, timeout_ns, &count);
    }
  }
  if (status == TBK_INTERRUPTED && PyErr_CheckSignals() < 0) return -1;
  bool expected = status == TBK_OK || status == TBK_WOULD_BLOCK || status == TBK_TIMEOUT ||
                  status == TBK_INTERRUPTED;
  if (!expected) {
    if (status == TBK_CLOSED) events().shutdown = true;
    raise_status(status, "the session's events");
    return -1;
  }
  return dispatch(taken, count, serve) ? static_cast<int>(count) : -1;
}

bool watch_ref(PyObject* ref, PyObject* future) {
  tbk_ref_t number = 0;
  if (ObjectStream::check(ref)) {
    number = reinterpret_cast<ObjectStream*>(ref)->ref;
  } else if (ObjectRef::check(ref)) {
    number = ObjectRef::number(ref);
  }
  if (number == 0) {
    if (PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_TypeError, "watch() takes an ObjectRef");
    return false;
  }
  events().watches.emplace(number, Watch{Py_NewRef(ref), Py_NewRef(future)});
  tbk_status_t status = tbk_watch(session().endpoint, &number, 1);
  if (status == TBK_OK) return true;
  raise_status(status, "a ref cannot be watched");
  return false;
}

void drop_events() {
  auto watches = std::exchange(events().watches, {});
  auto rooms = std::exchange(events().rooms, {});
  events().kept.clear();
  events().shutdown = false;
  for (auto& [number, watch] : watches) {
    raise_code("SESSION_CLOSED", "the session has been shut down");
    complete(watch.future, nullptr);
    Py_DECREF(watch.future);
    Py_DECREF(watch.holder);
  }
  // Who waited for room submits, and is told then.
  for (auto& [target, future] : rooms) {
    complete(future, Py_NewRef(Py_None));
    Py_DECREF(future);
  }
}

// ---- Python functions
// ----------------------------------------------------------------------------------------------

namespace {

/// pump(timeout_ns, serve) -> number of events
PyObject* pump(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 2) return PyErr_Format(PyExc_TypeError, "pump(timeout_ns, serve)");
  int64_t timeout_ns = PyLong_AsLongLong(arguments[0]);
  if (timeout_ns == -1 && PyErr_Occurred() != nullptr) return nullptr;
  int taken = pump_events(timeout_ns, arguments[1] == Py_True);
  return taken < 0 ? nullptr : PyLong_FromLong(taken);
}

PyObject* watch(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 2) return PyErr_Format(PyExc_TypeError, "watch(ref, future)");
  if (!watch_ref(arguments[0], arguments[1])) return nullptr;
  Py_RETURN_NONE;
}

/// watch_room(target, future): completes the future when the target takes calls.
PyObject* watch_room(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 2) return PyErr_Format(PyExc_TypeError, "watch_room(target, future)");
  auto target = static_cast<tbk_target_t>(PyLong_AsUnsignedLong(arguments[0]));
  if (PyErr_Occurred() != nullptr || require_endpoint() == nullptr) return nullptr;
  tbk_status_t status = tbk_target_room(session().endpoint, target, 0);
  if (status == TBK_WOULD_BLOCK || status == TBK_TIMEOUT) {
    events().rooms.emplace(target, Py_NewRef(arguments[1]));
  } else if (status == TBK_OK) {
    complete(arguments[1], Py_NewRef(Py_None));
  } else {
    return raise_status(status, "no room");
  }
  Py_RETURN_NONE;
}

PyObject* watched(PyObject*, PyObject*) {
  return PyLong_FromSize_t(events().watches.size() + events().rooms.size());
}
PyObject* kept(PyObject*, PyObject*) {
  return PyLong_FromSize_t(events().kept.size());
}
PyObject* shutdown_seen(PyObject*, PyObject*) {
  return PyBool_FromLong(events().shutdown ? 1 : 0);
}

PyObject* poll_fd(PyObject*, PyObject*) {
  tbk_endpoint_t* endpoint = require_endpoint();
  return endpoint == nullptr ? nullptr : PyLong_FromLong(tbk_poll_fd(endpoint));
}

/// poll_arm() -> whether the loop may sleep on the descriptor
PyObject* poll_arm(PyObject*, PyObject*) {
  tbk_endpoint_t* endpoint = require_endpoint();
  return endpoint == nullptr ? nullptr : PyBool_FromLong(tbk_poll_arm(endpoint) == TBK_OK ? 1 : 0);
}

/// poll_spin() -> whether something arrived; spins without the GIL
PyObject* poll_spin(PyObject*, PyObject*) {
  tbk_endpoint_t* endpoint = require_endpoint();
  if (endpoint == nullptr) return nullptr;
  tbk_status_t status;
  {
    Unlocked unlocked;
    status = tbk_poll_spin(endpoint);
  }
  return PyBool_FromLong(status == TBK_OK ? 1 : 0);
}

PyObject* serving(PyObject*, PyObject*) {
  return PyBool_FromLong(state().resolve != nullptr ? 1 : 0);
}

/// wait_item(stream): blocks until it has an item or has ended.
PyObject* wait_item(PyObject*, PyObject* stream) {
  if (!ObjectStream::check(stream)) return PyErr_Format(PyExc_TypeError, "wait_item(stream)");
  tbk_ref_t ref = reinterpret_cast<ObjectStream*>(stream)->ref;
  uint8_t ready = 0;
  if (ref != 0 && wait_refs(&ref, 1, 1, -1, &ready) < 0) return nullptr;
  Py_RETURN_NONE;
}

PyObject* wake(PyObject*, PyObject*) {
  if (session().endpoint != nullptr) tbk_wake(session().endpoint);
  Py_RETURN_NONE;
}

PyCFunction fast(PyObject* (*function)(PyObject*, PyObject* const*, Py_ssize_t)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function));
}

}  // namespace

PyMethodDef event_functions[] = {
    {"pump", fast(pump), METH_FASTCALL, nullptr},
    {"watch", fast(watch), METH_FASTCALL, nullptr},
    {"watch_room", fast(watch_room), METH_FASTCALL, nullptr},
    {"watched", watched, METH_NOARGS, nullptr},
    {"kept", kept, METH_NOARGS, nullptr},
    {"shutdown_seen", shutdown_seen, METH_NOARGS, nullptr},
    {"poll_fd", poll_fd, METH_NOARGS, nullptr},
    {"poll_arm", poll_arm, METH_NOARGS, nullptr},
    {"poll_spin", poll_spin, METH_NOARGS, nullptr},
    {"serving", serving, METH_NOARGS, nullptr},
    {"wait_item", wait_item, METH_O, nullptr},
    {"wake", wake, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace thornback::python
