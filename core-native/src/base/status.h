// Status and Result: how every layer of the core reports expected failures. No exceptions for
// expected outcomes.
#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "thornback.h"

namespace thornback {

// A code of the C ABI with the sentence that explains it. OK carries no text and costs no
// allocation.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(tbk_status_t code, std::string text) : code_(code), text_(std::move(text)) {}

  static Status ok() { return {}; }
  // For a failed system call: names it and appends the text of `error_number`.
  static Status io(const std::string& what, int error_number = errno);

  bool is_ok() const { return code_ == TBK_OK; }
  tbk_status_t code() const { return code_; }
  const std::string& text() const { return text_; }

 private:
  tbk_status_t code_ = TBK_OK;
  std::string text_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit by design

  bool is_ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  T take() { return std::move(*value_); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace thornback

#define TBK_RETURN_IF_ERROR(expression)                                                           \
  do {                                                                                            \
    if (::thornback::Status tbk_status_ = (expression); !tbk_status_.is_ok()) return tbk_status_; \
  } while (0)
