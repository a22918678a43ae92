// Generated from proto/errors.json by tools/codegen; do not edit.
// The error table (proto/errors.md): what the core needs to build an error value, extension 8 of the value format.
// clang-format off
#pragma once

#include <cstdint>
#include <string_view>

namespace thornback {

enum class ErrorCode : std::uint16_t {
  kRemoteError = 100,
  kSerializationError = 101,
  kTypeMismatch = 102,
  kInvalidArgument = 103,
  kNotFound = 104,
  kActorNotFound = 105,
  kNameTaken = 106,
  kImportFailed = 107,
  kActorCreationFailed = 108,
  kInitInWorker = 109,
  kCancelled = 110,
  kTimeout = 111,
  kDeadlineExceeded = 112,
  kBackPressure = 113,
  kSessionClosed = 114,
  kAlreadyInitialised = 115,
  kNotInitialised = 116,
  kNotSupported = 117,
  kDeadlock = 118,
  kStoreFull = 200,
  kOutOfMemory = 201,
  kResourceLimit = 202,
  kWorkerStartFailed = 203,
  kConnectionFailed = 204,
  kVersionMismatch = 205,
  kSystemError = 206,
  kActorDied = 300,
  kActorUnavailable = 301,
  kWorkerDied = 302,
  kNodeLost = 303,
  kOwnerDied = 304,
  kObjectLost = 305,
  kProtocolError = 400,
  kInternal = 401,
};

enum class ErrorFault : std::uint8_t { kUser, kEnvironment, kPeer, kEngine };

struct ErrorInfo {
  ErrorCode number;
  ErrorFault fault;
  bool retryable;
  std::string_view code;     // the stable name on the wire, "ACTOR_DIED"
  std::string_view name;     // the class in every language, "ActorDiedError"
  std::string_view message;  // with {placeholders}
};

inline constexpr ErrorInfo kErrorTable[] = {
    {ErrorCode::kRemoteError, ErrorFault::kUser, false, "REMOTE_ERROR", "RemoteError", "{name}: {message}"},
    {ErrorCode::kSerializationError, ErrorFault::kUser, false, "SERIALIZATION_ERROR", "SerializationError", "{path} cannot be sent: {reason}"},
    {ErrorCode::kTypeMismatch, ErrorFault::kUser, false, "TYPE_MISMATCH", "TypeMismatchError", "{function} {reason}"},
    {ErrorCode::kInvalidArgument, ErrorFault::kUser, false, "INVALID_ARGUMENT", "InvalidArgumentError", "{option}: {reason}"},
    {ErrorCode::kNotFound, ErrorFault::kUser, false, "NOT_FOUND", "NotFoundError", "no {kind} {name}; there is {available}"},
    {ErrorCode::kActorNotFound, ErrorFault::kUser, false, "ACTOR_NOT_FOUND", "ActorNotFoundError", "no actor named {name}; there is {available}"},
    {ErrorCode::kNameTaken, ErrorFault::kUser, false, "NAME_TAKEN", "NameTakenError", "an actor named {name} exists already"},
    {ErrorCode::kImportFailed, ErrorFault::kUser, false, "IMPORT_FAILED", "ImportFailedError", "{module} cannot be imported: {reason}"},
    {ErrorCode::kActorCreationFailed, ErrorFault::kUser, false, "ACTOR_CREATION_FAILED", "ActorCreationError", "actor {actor} could not be created: {reason}"},
    {ErrorCode::kInitInWorker, ErrorFault::kUser, false, "INIT_IN_WORKER", "InitInWorkerError", "{module} calls init() when a worker imports it; guard the driver with {guard}"},
    {ErrorCode::kCancelled, ErrorFault::kUser, false, "CANCELLED", "CancelledError", "{function} was cancelled"},
    {ErrorCode::kTimeout, ErrorFault::kUser, true, "TIMEOUT", "WaitTimeoutError", "{what} was not ready within {timeout_ms} ms"},
    {ErrorCode::kDeadlineExceeded, ErrorFault::kUser, true, "DEADLINE_EXCEEDED", "DeadlineExceededError", "{function} passed its deadline of {timeout_ms} ms"},
    {ErrorCode::kBackPressure, ErrorFault::kUser, true, "BACK_PRESSURE", "BackPressureError", "the limit of {limit} pending {unit} is reached"},
    {ErrorCode::kSessionClosed, ErrorFault::kUser, false, "SESSION_CLOSED", "SessionClosedError", "the session is closed"},
    {ErrorCode::kAlreadyInitialised, ErrorFault::kUser, false, "ALREADY_INITIALISED", "AlreadyInitialisedError", "this process already has a session; shut it down before calling init() again"},
    {ErrorCode::kNotInitialised, ErrorFault::kUser, false, "NOT_INITIALISED", "NotInitialisedError", "{operation} needs a session: call init() first"},
    {ErrorCode::kNotSupported, ErrorFault::kUser, false, "NOT_SUPPORTED", "NotSupportedError", "{what} is not supported: {reason}"},
    {ErrorCode::kDeadlock, ErrorFault::kUser, false, "DEADLOCK", "DeadlockError", "the call waits for itself: {cycle}"},
    {ErrorCode::kStoreFull, ErrorFault::kEnvironment, true, "STORE_FULL", "StoreFullError", "the store cannot hold {size} more bytes: {used} of {capacity} are in use"},
    {ErrorCode::kOutOfMemory, ErrorFault::kEnvironment, true, "OUT_OF_MEMORY", "OutOfMemoryError", "the system refused memory or a descriptor for {what}"},
    {ErrorCode::kResourceLimit, ErrorFault::kEnvironment, false, "RESOURCE_LIMIT", "ResourceLimitError", "{what} needs {need}, has {has}; {fix}"},
    {ErrorCode::kWorkerStartFailed, ErrorFault::kEnvironment, false, "WORKER_START_FAILED", "WorkerStartError", "a {language} worker did not start: {reason}"},
    {ErrorCode::kConnectionFailed, ErrorFault::kEnvironment, true, "CONNECTION_FAILED", "ConnectionFailedError", "no session answers at {address}: {reason}"},
    {ErrorCode::kVersionMismatch, ErrorFault::kEnvironment, false, "VERSION_MISMATCH", "VersionMismatchError", "{ours} of Thornback cannot join a session that runs {theirs}"},
    {ErrorCode::kSystemError, ErrorFault::kEnvironment, false, "SYSTEM_ERROR", "SystemCallError", "{call} failed: {reason}"},
    {ErrorCode::kActorDied, ErrorFault::kPeer, false, "ACTOR_DIED", "ActorDiedError", "actor {actor} died: {reason}"},
    {ErrorCode::kActorUnavailable, ErrorFault::kPeer, true, "ACTOR_UNAVAILABLE", "ActorUnavailableError", "actor {actor} is restarting: {reason}"},
    {ErrorCode::kWorkerDied, ErrorFault::kPeer, true, "WORKER_DIED", "WorkerDiedError", "the worker that ran {function} died: {reason}"},
    {ErrorCode::kNodeLost, ErrorFault::kPeer, true, "NODE_LOST", "NodeLostError", "node {node} is lost: {reason}"},
    {ErrorCode::kOwnerDied, ErrorFault::kPeer, false, "OWNER_DIED", "OwnerDiedError", "the owner of {ref} died: {reason}"},
    {ErrorCode::kObjectLost, ErrorFault::kPeer, false, "OBJECT_LOST", "ObjectLostError", "the value of {ref} is lost: {reason}"},
    {ErrorCode::kProtocolError, ErrorFault::kEngine, false, "PROTOCOL_ERROR", "ProtocolError", "malformed data: {reason}"},
    {ErrorCode::kInternal, ErrorFault::kEngine, false, "INTERNAL", "InternalError", "internal error: {reason}"},
};

constexpr const ErrorInfo& error_info(ErrorCode code) {
  for (const ErrorInfo& info : kErrorTable) {
    if (info.number == code) return info;
  }
  return kErrorTable[sizeof(kErrorTable) / sizeof(kErrorTable[0]) - 1];
}

// The code that says the same as a tbk_status_t; kInternal for those that are no failures.
constexpr ErrorCode error_code_of_status(int status) {
  switch (status) {
    case 2: return ErrorCode::kTimeout;
    case 4: return ErrorCode::kBackPressure;
    case 5: return ErrorCode::kSessionClosed;
    case 7: return ErrorCode::kInvalidArgument;
    case 8: return ErrorCode::kNotFound;
    case 9: return ErrorCode::kStoreFull;
    case 10: return ErrorCode::kOutOfMemory;
    case 11: return ErrorCode::kVersionMismatch;
    case 12: return ErrorCode::kProtocolError;
    case 13: return ErrorCode::kSystemError;
    case 14: return ErrorCode::kActorDied;
    default: return ErrorCode::kInternal;
  }
}

}  // namespace thornback
