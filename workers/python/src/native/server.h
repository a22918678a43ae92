// Executing received calls: the hot path of a worker. Plain functions and methods are called here;
// whatever needs an event loop goes to the hooks of thornback._worker.
#pragma once

#include "py.h"
#include "thornback.h"

namespace thornback::python {

/// One event of kind CALL, CANCEL or CREDIT; `late` if it was taken while nobody could serve it,
/// and may have been cancelled since. False only for exceptions that end the worker.
bool serve_event(const tbk_event_t& event, bool late = false);

/// Replies with the exception that is set. The worker's hook decides about SystemExit and
/// KeyboardInterrupt; it may end the process.
bool failed_call(uint32_t instance, tbk_incoming_t call);

/// Forgets instances and functions.
void drop_server();

/// Python functions of the module.
extern PyMethodDef server_functions[];

}  // namespace thornback::python
