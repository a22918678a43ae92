// The received call that a thread executes: calls made meanwhile are made inside it, and when it is
// cancelled, its user code is stopped.
#pragma once

#include "py.h"
#include "thornback.h"

namespace thornback::python {

/// Of the calling thread; ends with the scope. Needs the GIL.
class RunningCall {
 public:
  explicit RunningCall(const tbk_event_t& event, bool on_pool_thread);
  ~RunningCall();
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;

  /// User code begins: from here on its cancellation raises CancelledError in it. False: it was
  /// cancelled already.
  bool begin();
  /// User code is over, or goes on in the event loop.
  void end();
  /// What follows is not made inside the call: a coroutine brings its own context.
  void leave();

 private:
  tbk_incoming_t outer_call_;
  uint32_t outer_instance_;
  bool outer_may_stop_;
  tbk_incoming_t call_;
  bool on_pool_thread_;
};

/// The call inside which the running code makes calls; 0 none.
tbk_incoming_t current_call();

/// The context variable of a coroutine's call and instance, and the value for one of them.
PyObject* call_variable();
PyObject* call_variable_value(tbk_incoming_t call, uint32_t instance);

/// Whether the caller of this call wants no result any more.
bool is_cancelled(tbk_incoming_t call);
/// Sets CancelledError if the call that this thread executes was cancelled; false then.
bool check_cancelled();
/// TBK_EVENT_CANCEL: stops the pool thread that executes the call. False: none does.
bool stop_thread(tbk_incoming_t call);
/// The thread that serves looks for events: cancellations before this are known.
void forget_cancel_signals();

/// Python functions of the module.
extern PyMethodDef running_functions[];

}  // namespace thornback::python
