#include "call/error_value.h"

#include "call/msgpack.h"

namespace thornback::call {
namespace {

constexpr uint8_t kErrorExtension = 8;

// Class names of the codes the core raises; a code that is not here is its own name.
std::string_view class_name(std::string_view code) {
  struct Row {
    std::string_view code, name;
  };
  static constexpr Row kRows[] = {
      {"ACTOR_DIED", "ActorDiedError"},
      {"WORKER_DIED", "WorkerDiedError"},
      {"NODE_LOST", "NodeLostError"},
      {"OWNER_DIED", "OwnerDiedError"},
      {"OBJECT_LOST", "ObjectLostError"},
      {"CANCELLED", "CancelledError"},
      {"STORE_FULL", "StoreFullError"},
      {"OUT_OF_MEMORY", "OutOfMemoryError"},
      {"PROTOCOL_ERROR", "ProtocolError"},
      {"SESSION_CLOSED", "SessionClosedError"},
      {"SYSTEM_ERROR", "SystemCallError"},
      {"NOT_SUPPORTED", "NotSupportedError"},
      {"DEADLINE_EXCEEDED", "DeadlineExceededError"},
      {"INTERNAL", "InternalError"},
  };
  for (const Row& row : kRows) {
    if (row.code == code) return row.name;
  }
  return code;
}

}  // namespace

std::vector<uint8_t> encode_error(std::string_view code, const std::string& message) {
  MsgpackWriter body;
  body.map(4);
  body.text("code");
  body.text(code);
  body.text("name");
  body.text(class_name(code));
  body.text("message");
  body.text(message);
  body.text("language");
  body.text("engine");
  MsgpackWriter value;
  value.extension(kErrorExtension, body.bytes());
  return value.bytes();
}

std::string_view error_code_of(tbk_status_t status) {
  switch (status) {
    case TBK_STORE_FULL: return "STORE_FULL";
    case TBK_NO_MEMORY: return "OUT_OF_MEMORY";
    case TBK_PEER_DEAD:
    case TBK_NOT_FOUND: return "OBJECT_LOST";
    case TBK_PROTOCOL: return "PROTOCOL_ERROR";
    case TBK_CLOSED: return "SESSION_CLOSED";
    case TBK_IO: return "SYSTEM_ERROR";
    default: return "INTERNAL";
  }
}

}  // namespace thornback::call
