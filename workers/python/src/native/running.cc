#include "running.h"

#include <cstring>
#include <unordered_map>

#include "session.h"
#include "state.h"

namespace thornback::python {
namespace {

struct Running {
  tbk_incoming_t call = 0;  // inside which calls are made
  uint32_t instance = 0;
  bool may_stop = false;  // its user code runs
};
thread_local Running running;

struct Cancels {
  std::unordered_map<tbk_incoming_t, unsigned long> threads;  // pool threads with a call
  // A signal came that was not for the call that ran: calls that were taken with it may be meant.
  bool signal_missed = false;
};

Cancels& cancels() {
  static Cancels instance;
  return instance;
}

struct VariableValue {
  tbk_incoming_t call;
  uint64_t instance;
};

/// Of the running coroutine; zeros outside.
VariableValue variable_value() {
  VariableValue found{0, 0};
  PyObject* variable = session().has_coroutines ? call_variable() : nullptr;
  PyObject* value = nullptr;
  if (variable == nullptr) return found;
  if (PyContextVar_Get(variable, nullptr, &value) < 0) PyErr_Clear();
  Owned kept(value);
  if (value != nullptr && PyBytes_CheckExact(value))
    std::memcpy(&found, PyBytes_AS_STRING(value), sizeof found);
  return found;
}

PyObject* cancelled_class() {
  PyObject* classes = state().error_classes;
  PyObject* found = classes == nullptr ? nullptr : PyDict_GetItemString(classes, "CANCELLED");
  return found == nullptr ? PyExc_RuntimeError : found;
}

}  // namespace

RunningCall::RunningCall(const tbk_event_t& event, bool on_pool_thread)
    : outer_call_(running.call),
      outer_instance_(running.instance),
      outer_may_stop_(running.may_stop),
      call_(event.call),
      on_pool_thread_(on_pool_thread) {
  running.call = event.call;
  running.instance = event.instance;
  running.may_stop = false;
}

RunningCall::~RunningCall() {
  end();
  running.call = outer_call_;
  running.instance = outer_instance_;
  running.may_stop = outer_may_stop_;
}

bool RunningCall::begin() {
  if (on_pool_thread_) cancels().threads[call_] = PyThread_get_thread_ident();
  running.may_stop = true;
  return !(on_pool_thread_ || cancels().signal_missed) || check_cancelled();
}

void RunningCall::end() {
  if (!running.may_stop || running.call != call_) return;
  running.may_stop = false;
  if (!on_pool_thread_) return;
  // Under the GIL: what was to stop this call must not stop the next one of the thread.
  cancels().threads.erase(call_);
  PyThreadState_SetAsyncExc(PyThread_get_thread_ident(), nullptr);
}

void RunningCall::leave() {
  end();
  running.call = 0;
  running.instance = 0;
}

tbk_incoming_t current_call() {
  if (running.call != 0 || running.instance != 0) return running.call;
  return variable_value().call;
}

PyObject* call_variable() {
  static PyObject* variable = PyContextVar_New("thornback_call", nullptr);
  return variable;
}

PyObject* call_variable_value(tbk_incoming_t call, uint32_t instance) {
  VariableValue value{call, instance};
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(&value), sizeof value);
}

bool is_cancelled(tbk_incoming_t call) {
  tbk_endpoint_t* endpoint = session().endpoint;
  return endpoint != nullptr && tbk_call_state(endpoint, call) == TBK_CLOSED;
}

bool check_cancelled() {
  if (!running.may_stop || !is_cancelled(running.call)) return true;
  PyErr_SetString(cancelled_class(), "the call was cancelled");
  return false;
}

bool stop_thread(tbk_incoming_t call) {
  auto found = cancels().threads.find(call);
  if (found == cancels().threads.end()) return false;
  PyThreadState_SetAsyncExc(found->second, cancelled_class());
  tbk_wake(session().endpoint);  // it may wait in the engine
  return true;
}

void forget_cancel_signals() {
  cancels().signal_missed = false;
}

// ---- Python functions
// ----------------------------------------------------------------------------------------------

namespace {

/// on_cancel_signal(number, frame): the handler of the signal that the engine sends to the thread
/// that serves.
PyObject* on_cancel_signal(PyObject*, PyObject* const*, Py_ssize_t) {
  if (!check_cancelled()) return nullptr;
  cancels().signal_missed = true;
  Py_RETURN_NONE;
}

PyObject* current_instance(PyObject*, PyObject*) {
  bool here = running.call != 0 || running.instance != 0;
  return PyLong_FromUnsignedLongLong(here ? running.instance : variable_value().instance);
}

/// set_instance(instance) -> the one before: of code that no call to the instance executes, its
/// constructor.
PyObject* set_instance(PyObject*, PyObject* number) {
  unsigned long instance = PyLong_AsUnsignedLong(number);
  if (PyErr_Occurred() != nullptr) return nullptr;
  uint32_t before = running.instance;
  running.instance = static_cast<uint32_t>(instance);
  return PyLong_FromUnsignedLong(before);
}

/// set_context(call, instance): in the context of a coroutine that is about to begin.
PyObject* set_context(PyObject*, PyObject* arguments) {
  unsigned long long call = 0;
  unsigned int instance = 0;
  if (PyArg_ParseTuple(arguments, "KI", &call, &instance) == 0) return nullptr;
  Owned value(call_variable_value(call, instance));
  Owned token(value ? PyContextVar_Set(call_variable(), value.get()) : nullptr);
  if (!token) return nullptr;
  Py_RETURN_NONE;
}

}  // namespace

PyMethodDef running_functions[] = {
    {"on_cancel_signal", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(on_cancel_signal)),
     METH_FASTCALL, nullptr},
    {"current_instance", current_instance, METH_NOARGS, nullptr},
    {"set_instance", set_instance, METH_O, nullptr},
    {"set_context", set_context, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace thornback::python
