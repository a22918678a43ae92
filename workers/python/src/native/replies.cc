#include "replies.h"

#include "session.h"
#include "state.h"

namespace thornback::python {

static bool send(const tbk_reply_t& reply);

bool reply_value(tbk_incoming_t call, PyObject* result) {
  EncodingScope encoder(Audience::kAny);
  Payload payload;
  if (!encoder->value(result, "result") || !payload.fill(*encoder)) return reply_error(call, true);
  tbk_reply_t reply{};
  reply.call = call;
  reply.value = payload.get();
  payload.taken();
  return send(reply);
}

static bool send(const tbk_reply_t& reply) {
  if (session().endpoint == nullptr) return true;
  uint32_t accepted = 0;
  tbk_status_t status = tbk_reply(session().endpoint, &reply, 1, &accepted);
  if (status == TBK_OK || status == TBK_CLOSED || status == TBK_NOT_FOUND ||
      status == TBK_PEER_DEAD) {
    return true;  // a caller that is gone needs no reply
  }
  if ((reply.value.flags & TBK_VALUE_ERROR) != 0) return true;
  raise_status(status, "the result cannot be sent");
  return reply_error(reply.call, true);
}

/// The map of an exception: a hook of Python, because it prints tracebacks.
static Owned error_map(PyObject* exception, bool own) {
  PyObject* hook = own ? state().own_error : state().raised_error;
  return Owned(hook == nullptr ? nullptr : PyObject_CallOneArg(hook, exception));
}

bool reply_error(tbk_incoming_t call, bool own) {
  PyObject* type = nullptr;
  PyObject* exception = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &exception, &trace);
  PyErr_NormalizeException(&type, &exception, &trace);
  if (trace != nullptr) PyException_SetTraceback(exception, trace);
  Owned kept_type(type);
  Owned kept_exception(exception);
  Owned kept_trace(trace);
  EncodingScope encoder(Audience::kAny);
  bool encoded = false;
  if (exception != nullptr) {
    Owned value = error_map(exception, own);
    encoded = value && encoder->error_value(value.get());
  }
  if (!encoded) {
    // The last resort says at least what kind of exception it was.
    PyErr_Clear();
    encoder->reset(Audience::kAny);
    const char* name =
        type != nullptr ? reinterpret_cast<PyTypeObject*>(type)->tp_name : "Exception";
    Owned value(Py_BuildValue("{s:s,s:s,s:s}", "code", "REMOTE_ERROR", "name", name, "message",
                              "the exception itself cannot be sent"));
    if (!value || !encoder->error_value(value.get())) return false;
  }
  Payload payload;
  if (!payload.fill(*encoder, TBK_VALUE_ERROR)) return false;
  tbk_reply_t reply{};
  reply.call = call;
  reply.value = payload.get();
  payload.taken();
  return send(reply);
}

int reply_item(tbk_incoming_t call, PyObject* value) {
  EncodingScope encoder(Audience::kAny);
  if (!encoder->value(value, "item")) return -1;
  Payload payload;
  if (!payload.fill(*encoder)) return -1;
  if (session().endpoint == nullptr) return TBK_CLOSED;
  tbk_reply_t reply{};
  reply.call = call;
  reply.flags = TBK_REPLY_ITEM;
  reply.value = payload.get();
  uint32_t accepted = 0;
  tbk_status_t status = tbk_reply(session().endpoint, &reply, 1, &accepted);
  if (status == TBK_OK) payload.taken();
  if (status == TBK_OK || status == TBK_WOULD_BLOCK) return status;
  if (status == TBK_CLOSED || status == TBK_NOT_FOUND || status == TBK_PEER_DEAD) return TBK_CLOSED;
  raise_status(status, "an item cannot be sent");
  return -1;
}

bool reply_end(tbk_incoming_t call) {
  static const uint8_t kNil = 0xC0;
  tbk_reply_t reply{};
  reply.call = call;
  reply.value.data = &kNil;
  reply.value.size = 1;
  return send(reply);
}

}  // namespace thornback::python
