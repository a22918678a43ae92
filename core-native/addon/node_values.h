// Small conversions between Node-API values and C++: the addon uses plain Node-API, because its hot
// functions take two or three numbers and the C++ wrapper costs as much again.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "thornback.h"

namespace thornback::addon {

// A Node-API function failed although its arguments were right: the environment is broken, and so
// is the process.
void require(napi_env env, napi_status status, const char* what);

// The arguments of one callback. A conversion that fails throws a TypeError into JavaScript and
// sets `failed`.
class Arguments {
 public:
  static constexpr size_t kMax = 8;
  Arguments(napi_env env, napi_callback_info info);

  napi_env env() const { return env_; }
  napi_value self() const { return self_; }
  void* data() const { return data_; }
  napi_value operator[](size_t index) const { return values_[index]; }
  bool failed() const { return failed_; }

  double number(size_t index);
  uint32_t u32(size_t index);
  // A count, a size or a handle: an integer below 2^53.
  uint64_t whole(size_t index);
  std::string text(size_t index);
  // The bytes of a typed array; valid during the callback.
  std::string_view bytes(size_t index);

 private:
  void fail(size_t index, const char* expected);

  napi_env env_;
  napi_value self_ = nullptr;
  void* data_ = nullptr;
  napi_value values_[kMax] = {};
  bool failed_ = false;
};

napi_value make_number(napi_env env, double value);
napi_value make_text(napi_env env, std::string_view text);
napi_value make_undefined(napi_env env);
void set_property(napi_env env, napi_value object, const char* name, napi_value value);

// Members of an options object: the fallback when it is undefined.
double number_option(napi_env env, napi_value object, const char* name, double fallback);
std::string text_option(napi_env env, napi_value object, const char* name);

// Throws an Error with the sentence of tbk_last_error and the number of the status as its member
// `status`.
napi_value throw_status(napi_env env, tbk_status_t status);
void throw_status(napi_env env, tbk_status_t status, std::string_view text);

}  // namespace thornback::addon
