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
      {"ACTOR_UNAVAILABLE", "ActorUnavailableError"},
      {"INVALID_ARGUMENT", "InvalidArgumentError"},
      {"DEADLOCK", "DeadlockError"},
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

// A text at `at`, which then lies behind it; none when there is something else.
std::string_view take_text(const uint8_t* data, uint64_t size, uint64_t& at) {
  if (at >= size) return {};
  const uint8_t tag = data[at];
  uint64_t width = 0;
  uint64_t length = 0;
  if ((tag & 0xe0) == 0xa0) {
    length = tag & 0x1f;
  } else if (tag >= 0xd9 && tag <= 0xdb) {
    width = uint64_t{1} << (tag - 0xd9);
    if (size - at - 1 < width) return {};
    for (uint64_t i = 0; i < width; ++i) length = length << 8 | data[at + 1 + i];
  } else {
    return {};
  }
  const uint64_t start = at + 1 + width;
  if (size - start < length) return {};
  at = start + length;
  return {reinterpret_cast<const char*>(data) + start, length};
}

}  // namespace

// The writers put code and name first (proto/errors.md), so nothing behind them is looked at.
ErrorHead read_error_head(const uint8_t* data, uint64_t size) {
  ErrorHead head;
  if (size < 4 || data[0] < 0xc7 || data[0] > 0xc9) return head;
  uint64_t at = 2 + (uint64_t{1} << (data[0] - 0xc7));
  if (at >= size || data[at - 1] != kErrorExtension) return head;
  at += data[at] == 0xde ? 3 : 1;
  if (take_text(data, size, at) != "code") return head;
  head.code = take_text(data, size, at);
  if (take_text(data, size, at) == "name") head.name = take_text(data, size, at);
  return head;
}

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
