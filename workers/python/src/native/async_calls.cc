#include "async_calls.h"

#include "replies.h"
#include "running.h"
#include "server.h"
#include "session.h"
#include "state.h"

namespace thornback::python {
namespace {

struct Loop {
  PyObject* loop = nullptr;
  PyObject* loop_dict = nullptr;  // its attributes
  PyObject* task_type = nullptr;  // asyncio.Task
  PyObject* suspended = nullptr;  // hook (call, task)
  PyObject* capture = nullptr;    // stands in for loop.call_soon while a task is made
  PyObject* step = nullptr;       // what the task wanted to have called soon
  PyObject* step_context = nullptr;
};

Loop& loop() {
  static Loop instance;
  return instance;
}

/// loop.call_soon(step, context=...) of a task that is being made.
PyObject* capture_step(PyObject*, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
  Loop& l = loop();
  if (count < 1) return PyErr_Format(PyExc_TypeError, "call_soon() without a callback");
  Py_XSETREF(l.step, Py_NewRef(arguments[0]));
  bool with_context = names != nullptr && PyTuple_GET_SIZE(names) == 1;
  Py_XSETREF(l.step_context, with_context ? Py_NewRef(arguments[count]) : nullptr);
  Py_RETURN_NONE;
}

PyMethodDef capture_method = {"call_soon",
                              reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(capture_step)),
                              METH_FASTCALL | METH_KEYWORDS, nullptr};

/// A task of the loop for the coroutine; its first step has run, or an exception that a task lets
/// pass is set.
PyObject* eager_task(PyObject* coroutine) {
  Loop& l = loop();
#if PY_VERSION_HEX >= 0x030C0000
  static PyObject* names = Py_BuildValue("(ss)", "loop", "eager_start");
  PyObject* arguments[] = {coroutine, l.loop, Py_True};
  return PyObject_Vectorcall(l.task_type, arguments, 1, names);
#else
  // A task asks its loop exactly once, while it is made, to call its first step soon: that step is
  // run here instead.
  static PyObject* names = Py_BuildValue("(s)", "loop");
  static PyObject* call_soon = PyUnicode_InternFromString("call_soon");
  if (PyDict_SetItem(l.loop_dict, call_soon, l.capture) < 0) return nullptr;
  PyObject* arguments[] = {coroutine, l.loop};
  Owned task(PyObject_Vectorcall(l.task_type, arguments, 1, names));
  if (PyDict_DelItem(l.loop_dict, call_soon) < 0) return nullptr;
  Owned step(std::exchange(l.step, nullptr));
  Owned context(std::exchange(l.step_context, nullptr));
  if (!task) return nullptr;
  if (!step) return PyErr_Format(PyExc_RuntimeError, "a task did not ask for its first step");
  if (context && PyContext_Enter(context.get()) < 0) return nullptr;
  Owned ran(PyObject_CallNoArgs(step.get()));
  if (context && PyContext_Exit(context.get()) < 0) return nullptr;
  return ran ? task.release() : nullptr;
#endif
}

bool is_done(PyObject* task) {
  static PyObject* name = PyUnicode_InternFromString("done");
  Owned done(PyObject_CallMethodNoArgs(task, name));
  return done.get() == Py_True;
}

}  // namespace

bool takes_coroutine(PyObject* subject) {
  return loop().loop != nullptr && PyCoro_CheckExact(subject);
}

bool run_coroutine(uint32_t instance, tbk_incoming_t call, PyObject* coroutine) {
  static PyObject* result_name = PyUnicode_InternFromString("result");
  Loop& l = loop();
  Owned value(call_variable_value(call, instance));
  if (!value) return false;
  Owned token(PyContextVar_Set(call_variable(), value.get()));
  if (!token) return false;
  Owned task(eager_task(coroutine));
  if (!task) return failed_call(instance, call);
  if (!is_done(task.get())) {
    Owned call_number(PyLong_FromUnsignedLongLong(call));
    PyObject* arguments[] = {call_number.get(), task.get()};
    Owned kept(call_number ? PyObject_Vectorcall(l.suspended, arguments, 2, nullptr) : nullptr);
    return static_cast<bool>(kept);
  }
  Owned result(PyObject_CallMethodNoArgs(task.get(), result_name));
  return result ? reply_value(call, result.get()) : failed_call(instance, call);
}

namespace {

/// set_loop(loop, task_type, suspended)
PyObject* set_loop(PyObject*, PyObject* arguments) {
  PyObject* event_loop = nullptr;
  PyObject* task_type = nullptr;
  PyObject* suspended = nullptr;
  if (PyArg_ParseTuple(arguments, "OOO", &event_loop, &task_type, &suspended) == 0) return nullptr;
  Owned attributes(PyObject_GetAttrString(event_loop, "__dict__"));
  Owned capture(PyCFunction_New(&capture_method, nullptr));
  if (!attributes || !capture) return nullptr;
  Loop& l = loop();
  l.loop = Py_NewRef(event_loop);
  l.loop_dict = attributes.release();
  l.task_type = Py_NewRef(task_type);
  l.suspended = Py_NewRef(suspended);
  l.capture = capture.release();
  session().has_coroutines = true;
  Py_RETURN_NONE;
}

PyObject* serving_loop(PyObject*, PyObject*) {
  PyObject* found = loop().loop;
  return Py_NewRef(found == nullptr ? Py_None : found);
}

}  // namespace

PyMethodDef async_functions[] = {
    {"set_loop", set_loop, METH_VARARGS, nullptr},
    {"serving_loop", serving_loop, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace thornback::python
