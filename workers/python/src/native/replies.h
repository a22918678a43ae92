// Replies to received calls. Each is sent at once: putting several together was measured to gain
// nothing, and it would hold results back while a slow call runs.
#pragma once

#include "encoder.h"
#include "py.h"
#include "thornback.h"

namespace thornback::python {

/// Sends the result of a call; when it cannot be sent, the reason. False with an exception that
/// ends the worker.
bool reply_value(tbk_incoming_t call, PyObject* result);
/// Sends the exception that is set, and clears it. `own` says that it is the engine's word about
/// the call, not an exception of user code.
bool reply_error(tbk_incoming_t call, bool own);
/// One item of a stream: TBK_OK, TBK_WOULD_BLOCK, TBK_CLOSED, or -1 with an exception.
int reply_item(tbk_incoming_t call, PyObject* value);
/// The end of a stream.
bool reply_end(tbk_incoming_t call);

}  // namespace thornback::python
