#include "server.h"

#include <unordered_map>

#include "async_calls.h"
#include "decoder.h"
#include "replies.h"
#include "running.h"
#include "session.h"
#include "state.h"

namespace thornback::python {
namespace {

enum Kind : long { kPlain = 0, kGenerator = 1, kLoop = 2 };

/// What a function name means for one instance.
struct Entry {
  PyObject* callable = nullptr;
  long kind = kPlain;
  int on_pool_thread = 0;
};

struct Server {
  std::unordered_map<uint64_t, Entry> entries;
  uint64_t last_key = ~uint64_t{0};
  Entry* last = nullptr;
};

Server& server() {
  static Server instance;
  return instance;
}

/// The entry of a call's function; asks the resolver at the first call. Null with an exception.
Entry* find(const tbk_event_t& event) {
  Server& s = server();
  uint64_t key = uint64_t{event.instance} << 32 | event.function;
  if (key == s.last_key) return s.last;
  auto found = s.entries.find(key);
  if (found == s.entries.end()) {
    const char* name = nullptr;
    uint32_t size = 0;
    if (tbk_function_name(session().endpoint, event.function, &name, &size) != TBK_OK) {
      raise_code("PROTOCOL_ERROR", "a call names an unknown function");
      return nullptr;
    }
    if (state().resolve == nullptr) {
      raise_code("NOT_FOUND", "this process serves no calls");
      return nullptr;
    }
    Owned number(PyLong_FromUnsignedLong(event.instance));
    Owned text(PyUnicode_DecodeUTF8(name, static_cast<Py_ssize_t>(size), nullptr));
    if (!number || !text) return nullptr;
    PyObject* arguments[] = {number.get(), text.get()};
    Owned resolved(PyObject_Vectorcall(state().resolve, arguments, 2, nullptr));
    if (!resolved) return nullptr;
    Entry entry;
    PyObject* callable = nullptr;
    if (PyArg_ParseTuple(resolved.get(), "Olp", &callable, &entry.kind, &entry.on_pool_thread) == 0)
      return nullptr;
    entry.callable = Py_NewRef(callable);
    found = s.entries.emplace(key, entry).first;
  }
  s.last_key = key;
  s.last = &found->second;
  return s.last;
}

bool is_fatal() {
  return PyErr_ExceptionMatches(PyExc_SystemExit) != 0 ||
         PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0;
}

/// Hands the call to the loop: start_async(instance, call, subject, stream).
bool hand_over(const tbk_event_t& event, PyObject* subject, bool stream) {
  Owned result(PyObject_CallFunction(state().start_async, "IKOO", event.instance,
                                     static_cast<unsigned long long>(event.call), subject,
                                     stream ? Py_True : Py_False));
  return result || reply_error(event.call, true);
}

/// Sends what an iterator yields; without a consumer of a stream, all items as one list.
bool drive_iterator(const tbk_event_t& event, PyObject* iterable, bool stream) {
  tbk_incoming_t call = event.call;
  if (!stream) {
    Owned items(PySequence_List(iterable));
    return items ? reply_value(call, items.get()) : failed_call(event.instance, call);
  }
  Owned iterator(PyObject_GetIter(iterable));
  if (!iterator) return reply_error(call, false);
  for (;;) {
    Owned item(PyIter_Next(iterator.get()));
    if (!item) break;
    int status = reply_item(call, item.get());
    while (status == TBK_WOULD_BLOCK) {
      tbk_status_t credit;
      {
        Unlocked unlocked;
        credit = tbk_stream_credit(session().endpoint, call, -1);
      }
      if (credit == TBK_INTERRUPTED && PyErr_CheckSignals() < 0)
        return failed_call(event.instance, call);
      status =
          credit == TBK_OK || credit == TBK_INTERRUPTED ? reply_item(call, item.get()) : TBK_CLOSED;
    }
    if (status < 0) return reply_error(call, true);
    if (status == TBK_CLOSED) {
      Owned closed(PyObject_CallMethod(iterator.get(), "close", nullptr));
      PyErr_Clear();
      return reply_end(call);
    }
  }
  return PyErr_Occurred() != nullptr ? failed_call(event.instance, call) : reply_end(call);
}

bool finish(const tbk_event_t& event, long kind, PyObject* result, RunningCall& running) {
  bool stream = (event.flags & TBK_EVENT_STREAM_CALL) != 0;
  if (kind == kLoop) {
    running.leave();
    if (!stream && takes_coroutine(result))
      return run_coroutine(event.instance, event.call, result);
    return hand_over(event, result, stream);
  }
  if (kind == kGenerator || (stream && PyIter_Check(result))) {
    return drive_iterator(event, result, stream);
  }
  running.end();
  if (stream) {
    PyErr_Format(PyExc_TypeError, "a stream was asked for, but the function returned a %s",
                 Py_TYPE(result)->tp_name);
    return reply_error(event.call, false);
  }
  return reply_value(event.call, result);
}

/// The exception that is set may be the call's own: a TypeError without any frame says that the
/// arguments do not fit, and the hook replaces it by a TypeMismatchError then.
bool is_mismatch(PyObject* callable, const CallArguments& arguments) {
  if (state().mismatch == nullptr || PyErr_ExceptionMatches(PyExc_TypeError) == 0) return false;
  PyObject* type = nullptr;
  PyObject* exception = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &exception, &trace);
  Owned replaced;
  if (trace == nullptr) {
    Owned values(PyTuple_New(static_cast<Py_ssize_t>(arguments.count())));
    for (size_t i = 0; values && i < arguments.count(); ++i) {
      PyTuple_SET_ITEM(values.get(), static_cast<Py_ssize_t>(i), Py_NewRef(arguments.items()[i]));
    }
    PyObject* names = arguments.keyword_names != nullptr ? arguments.keyword_names : Py_None;
    if (values) {
      replaced = Owned(PyObject_CallFunction(state().mismatch, "OOnO", callable, values.get(),
                                             static_cast<Py_ssize_t>(arguments.positional), names));
    }
    PyErr_Clear();
  }
  if (!replaced || replaced.get() == Py_None) {
    PyErr_Restore(type, exception, trace);
    return false;
  }
  Py_XDECREF(type);
  Py_XDECREF(exception);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(replaced.get())), replaced.get());
  return true;
}

/// Executes a call on this thread.
bool run(const tbk_event_t& event, PyObject* callable, long kind, bool on_pool_thread) {
  RunningCall running(event, on_pool_thread);
  CallArguments arguments;
  Decoder decoder(event.value, true);
  if (!decoder.arguments(arguments)) return reply_error(event.call, true);
  Owned result(running.begin() ? arguments.call(callable) : nullptr);
  if (result) return finish(event, kind, result.get(), running);
  running.end();
  if (is_mismatch(callable, arguments)) return reply_error(event.call, true);
  return failed_call(event.instance, event.call);
}

// ---- Calls of actors that run on threads
// ----------------------------------------------------------------------------------------------

struct Job {
  tbk_event_t event;
  Owned callable;
  long kind;
};
const char* const kJobName = "thornback.Job";

/// The capsule's job, executed by a thread of the pool.
PyObject* run_job(PyObject* capsule, PyObject*) {
  auto* job = static_cast<Job*>(PyCapsule_GetPointer(capsule, kJobName));
  if (job == nullptr || !run(job->event, job->callable.get(), job->kind, true)) return nullptr;
  Py_RETURN_NONE;
}
PyMethodDef run_job_method = {"run_job", run_job, METH_NOARGS, nullptr};

/// Hands the call to a pool: start_thread(instance, group, job).
bool hand_to_pool(const tbk_event_t& event, Owned callable, long kind) {
  auto* job = new Job{event, std::move(callable), kind};
  Owned capsule(PyCapsule_New(job, kJobName, [](PyObject* dying) {
    delete static_cast<Job*>(PyCapsule_GetPointer(dying, kJobName));
  }));
  if (!capsule) {
    delete job;
    return false;
  }
  Owned function(PyCFunction_New(&run_job_method, capsule.get()));
  Owned result(function ? PyObject_CallFunction(state().start_thread, "IIO", event.instance,
                                                event.group, function.get())
                        : nullptr);
  return result || reply_error(event.call, true);
}

bool execute(const tbk_event_t& event, bool late) {
  if (late && is_cancelled(event.call)) {
    raise_code("CANCELLED", "the call was cancelled before it was started");
    return reply_error(event.call, true);
  }
  Entry* entry = find(event);
  if (entry == nullptr) return reply_error(event.call, true);
  // The call may destroy its own actor, and the entry with it.
  Owned callable = Owned::share(entry->callable);
  if (entry->on_pool_thread != 0 && state().start_thread != nullptr)
    return hand_to_pool(event, std::move(callable), entry->kind);
  return run(event, callable.get(), entry->kind, false);
}

/// Whether the exception that is set is how a cancelled call ended.
bool is_cancellation(tbk_incoming_t call) {
  PyObject* classes = state().error_classes;
  PyObject* cancelled = classes == nullptr ? nullptr : PyDict_GetItemString(classes, "CANCELLED");
  return cancelled != nullptr && PyErr_ExceptionMatches(cancelled) != 0 && is_cancelled(call);
}

}  // namespace

bool failed_call(uint32_t instance, tbk_incoming_t call) {
  if (!is_fatal() || state().on_exit == nullptr) return reply_error(call, is_cancellation(call));
  PyObject* type = nullptr;
  PyObject* exception = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &exception, &trace);
  PyErr_NormalizeException(&type, &exception, &trace);
  if (trace != nullptr) PyException_SetTraceback(exception, trace);
  Owned kept_type(type);
  Owned kept(exception);
  Owned kept_trace(trace);
  return static_cast<bool>(Owned(PyObject_CallFunction(
      state().on_exit, "IKO", instance, static_cast<unsigned long long>(call), exception)));
}

bool serve_event(const tbk_event_t& event, bool late) {
  if (event.kind == TBK_EVENT_CALL) return execute(event, late);
  if (event.kind == TBK_EVENT_CANCEL && stop_thread(event.call)) return true;
  PyObject* hook = event.kind == TBK_EVENT_CANCEL ? state().on_cancel : state().on_credit;
  if (hook == nullptr) return true;
  Owned number(PyLong_FromUnsignedLongLong(event.call));
  Owned result(number ? PyObject_CallOneArg(hook, number.get()) : nullptr);
  if (!result) PyErr_WriteUnraisable(hook);
  return true;
}

void drop_server() {
  Server& s = server();
  auto entries = std::move(s.entries);
  s.entries.clear();
  s.last_key = ~uint64_t{0};
  s.last = nullptr;
  for (auto& [key, entry] : entries) Py_XDECREF(entry.callable);
}

// ---- Python functions
// ----------------------------------------------------------------------------------------------

namespace {

bool call_number(PyObject* object, tbk_incoming_t* out) {
  *out = PyLong_AsUnsignedLongLong(object);
  return PyErr_Occurred() == nullptr;
}

/// reply(call, value)
PyObject* py_reply(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  tbk_incoming_t call = 0;
  if (count != 2 || !call_number(arguments[0], &call))
    return PyErr_Format(PyExc_TypeError, "reply(call, value)");
  if (!reply_value(call, arguments[1])) return nullptr;
  Py_RETURN_NONE;
}

/// reply_error(call, exception, own)
PyObject* py_reply_error(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  tbk_incoming_t call = 0;
  if (count != 3 || !call_number(arguments[0], &call) || !PyExceptionInstance_Check(arguments[1])) {
    return PyErr_Format(PyExc_TypeError, "reply_error(call, exception, own)");
  }
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(arguments[1])), arguments[1]);
  if (!reply_error(call, arguments[2] == Py_True || is_cancellation(call))) return nullptr;
  Py_RETURN_NONE;
}

/// reply_item(call, value) -> 0 sent, 1 no credit, 5 closed
PyObject* py_reply_item(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  tbk_incoming_t call = 0;
  if (count != 2 || !call_number(arguments[0], &call))
    return PyErr_Format(PyExc_TypeError, "reply_item(call, value)");
  int status = reply_item(call, arguments[1]);
  return status < 0 ? nullptr : PyLong_FromLong(status);
}

PyObject* py_reply_end(PyObject*, PyObject* number) {
  tbk_incoming_t call = 0;
  if (!call_number(number, &call) || !reply_end(call)) return nullptr;
  Py_RETURN_NONE;
}

/// drop_instance(instance): its methods are resolved again.
PyObject* drop_instance(PyObject*, PyObject* number) {
  unsigned long instance = PyLong_AsUnsignedLong(number);
  if (PyErr_Occurred() != nullptr) return nullptr;
  Server& s = server();
  s.last_key = ~uint64_t{0};
  s.last = nullptr;
  for (auto it = s.entries.begin(); it != s.entries.end();) {
    if (it->first >> 32 == instance) {
      Owned callable(it->second.callable);
      it = s.entries.erase(it);
    } else {
      ++it;
    }
  }
  Py_RETURN_NONE;
}

PyCFunction fast(PyObject* (*function)(PyObject*, PyObject* const*, Py_ssize_t)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function));
}

}  // namespace

PyMethodDef server_functions[] = {
    {"reply", fast(py_reply), METH_FASTCALL, nullptr},
    {"reply_error", fast(py_reply_error), METH_FASTCALL, nullptr},
    {"reply_item", fast(py_reply_item), METH_FASTCALL, nullptr},
    {"reply_end", py_reply_end, METH_O, nullptr},
    {"drop_instance", drop_instance, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace thornback::python
