// proto/errors.json -> core-native/src/base/error_codes_generated.h

import type { ErrorTable } from './error-table.ts'

/** ACTOR_DIED -> kActorDied */
function constantName(code: string): string {
  return `k${code
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('')}`
}

export function cppErrors(table: ErrorTable): string {
  const values = table.errors.map((row) => `  ${constantName(row.code)} = ${row.number},`)
  const rows = table.errors.map((row) => {
    const fault = `ErrorFault::k${row.fault.charAt(0).toUpperCase()}${row.fault.slice(1)}`
    const texts = [row.code, row.class, row.message].map((text) => JSON.stringify(text)).join(', ')
    return `    {ErrorCode::${constantName(row.code)}, ${fault}, ${row.retryable}, ${texts}},`
  })
  const cases = table.codeOfStatus.map(
    ([status, code]) => `    case ${status}: return ErrorCode::${constantName(code)};`,
  )
  return `// Generated from proto/errors.json by tools/codegen; do not edit.
// The error table (proto/errors.md): what the core needs to build an error value, extension 8 of the value format.
// clang-format off
#pragma once

#include <cstdint>
#include <string_view>

namespace thornback {

enum class ErrorCode : std::uint16_t {
${values.join('\n')}
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
${rows.join('\n')}
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
${cases.join('\n')}
    default: return ErrorCode::kInternal;
  }
}

}  // namespace thornback
`
}
