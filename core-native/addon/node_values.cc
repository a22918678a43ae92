#include "addon/node_values.h"

#include <cmath>

namespace thornback::addon {

void require(napi_env env, napi_status status, const char* what) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  const char* detail = info != nullptr && info->error_message != nullptr ? info->error_message : "";
  napi_fatal_error(what, NAPI_AUTO_LENGTH, detail, NAPI_AUTO_LENGTH);
}

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  size_t count = kMax;
  require(env, napi_get_cb_info(env, info, &count, values_, &self_, &data_), "napi_get_cb_info");
}

void Arguments::fail(size_t index, const char* expected) {
  if (failed_) return;
  failed_ = true;
  const std::string text = "argument " + std::to_string(index) + " is not " + expected;
  napi_throw_type_error(env_, nullptr, text.c_str());
}

double Arguments::number(size_t index) {
  double value = 0;
  if (napi_get_value_double(env_, values_[index], &value) != napi_ok) fail(index, "a number");
  return value;
}

uint32_t Arguments::u32(size_t index) {
  uint32_t value = 0;
  if (napi_get_value_uint32(env_, values_[index], &value) != napi_ok) fail(index, "a number");
  return value;
}

uint64_t Arguments::whole(size_t index) {
  const double value = number(index);
  if (!(value >= 0 && value < 9007199254740992.0)) {
    fail(index, "a whole number below 2^53");
    return 0;
  }
  return static_cast<uint64_t>(value);
}

std::string Arguments::text(size_t index) {
  size_t size = 0;
  if (napi_get_value_string_utf8(env_, values_[index], nullptr, 0, &size) != napi_ok) {
    fail(index, "a string");
    return {};
  }
  std::string text(size, '\0');
  napi_get_value_string_utf8(env_, values_[index], text.data(), size + 1, &size);
  return text;
}

std::string_view Arguments::bytes(size_t index) {
  napi_typedarray_type type;
  size_t count = 0;
  void* data = nullptr;
  napi_value buffer;
  size_t offset = 0;
  if (napi_get_typedarray_info(env_, values_[index], &type, &count, &data, &buffer, &offset) !=
      napi_ok) {
    fail(index, "a typed array");
    return {};
  }
  size_t item = 1;
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array: item = 1; break;
    case napi_int16_array:
    case napi_uint16_array: item = 2; break;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array: item = 4; break;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array: item = 8; break;
    default: fail(index, "a typed array of a known kind"); return {};
  }
  return {static_cast<const char*>(data), count * item};
}

napi_value make_number(napi_env env, double value) {
  napi_value result;
  require(env, napi_create_double(env, value, &result), "napi_create_double");
  return result;
}

napi_value make_text(napi_env env, std::string_view text) {
  napi_value result;
  require(env, napi_create_string_utf8(env, text.data(), text.size(), &result),
          "napi_create_string_utf8");
  return result;
}

napi_value make_undefined(napi_env env) {
  napi_value result;
  require(env, napi_get_undefined(env, &result), "napi_get_undefined");
  return result;
}

void set_property(napi_env env, napi_value object, const char* name, napi_value value) {
  require(env, napi_set_named_property(env, object, name, value), "napi_set_named_property");
}

double number_option(napi_env env, napi_value object, const char* name, double fallback) {
  napi_value member;
  double value = fallback;
  if (napi_get_named_property(env, object, name, &member) != napi_ok) return fallback;
  if (napi_get_value_double(env, member, &value) != napi_ok || std::isnan(value)) return fallback;
  return value;
}

std::string text_option(napi_env env, napi_value object, const char* name) {
  napi_value member;
  size_t size = 0;
  if (napi_get_named_property(env, object, name, &member) != napi_ok) return {};
  if (napi_get_value_string_utf8(env, member, nullptr, 0, &size) != napi_ok) return {};
  std::string text(size, '\0');
  napi_get_value_string_utf8(env, member, text.data(), size + 1, &size);
  return text;
}

void throw_status(napi_env env, tbk_status_t status, std::string_view text) {
  napi_value error;
  napi_value message = make_text(env, text);
  require(env, napi_create_error(env, nullptr, message, &error), "napi_create_error");
  set_property(env, error, "status", make_number(env, status));
  napi_throw(env, error);
}

napi_value throw_status(napi_env env, tbk_status_t status) {
  const std::string text = tbk_last_error();
  throw_status(env, status, text.empty() ? tbk_status_name(status) : text);
  return nullptr;
}

}  // namespace thornback::addon
