// Errors that the core itself raises, as the value format's error (extension 8, see
// proto/errors.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace thornback::call {

// `code` is a code of proto/errors.json; the class name is looked up there.
std::vector<uint8_t> encode_error(std::string_view code, const std::string& message);

// Code and class name of an error value, as far as they can be read: views into its bytes.
struct ErrorHead {
  std::string_view code;
  std::string_view name;
};
ErrorHead read_error_head(const uint8_t* data, uint64_t size);

// The code of the error table that a status is reported as.
std::string_view error_code_of(tbk_status_t status);

}  // namespace thornback::call
