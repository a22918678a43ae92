// Refs and the values behind them.

#include "addon/endpoint.h"
#include "addon/methods.h"
#include "addon/node_values.h"

namespace thornback::addon {

namespace {

// put(dataOffset, size, bufferToken, refsOffset, refCount, flags): ref
napi_value put(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_payload_t payload =
      endpoint->payload(arguments.u32(0), arguments.number(1), arguments.number(2),
                        arguments.u32(3), arguments.u32(4), arguments.u32(5));
  if (arguments.failed()) return nullptr;
  tbk_ref_t ref = 0;
  const tbk_status_t status = tbk_put(endpoint->core(), &payload, &ref);
  if (status != TBK_OK) return throw_status(env, status);
  return make_number(env, static_cast<double>(ref));
}

// refReserve(count): fills the outbox's reserved refs, returns their number.
napi_value ref_reserve(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint32_t count = arguments.u32(0);
  if (arguments.failed()) return nullptr;
  if (count == 0 || count > kListMax) return throw_status(env, TBK_INVALID);
  tbk_ref_t refs[kListMax];
  const tbk_status_t status = tbk_ref_reserve(endpoint->core(), count, refs);
  if (status != TBK_OK) return throw_status(env, status);
  for (uint32_t i = 0; i < count; ++i) {
    endpoint->outbox().reserved_refs[i] = static_cast<double>(refs[i]);
  }
  return make_number(env, count);
}

// refRetain(ref)
napi_value ref_retain(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t ref = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  const tbk_status_t status = tbk_ref_retain(endpoint->core(), ref);
  return status == TBK_OK ? nullptr : throw_status(env, status);
}

// refRelease(ref)
napi_value ref_release(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t ref = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  tbk_ref_release(endpoint->core(), &ref, 1);
  return nullptr;
}

// refRead(ref): 0 when the spare event describes the value, 1 (TBK_WOULD_BLOCK) while there is
// none.
napi_value ref_read(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t ref = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  tbk_value_t value{};
  const tbk_status_t status = tbk_ref_read(endpoint->core(), ref, &value);
  if (status != TBK_OK && status != TBK_WOULD_BLOCK) return throw_status(env, status);
  if (status == TBK_OK) endpoint->describe_spare(value, ref);
  return make_number(env, status);
}

// refId(ref, target: Uint8Array of 16)
napi_value ref_id(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t ref = arguments.whole(0);
  const std::string_view target = arguments.bytes(1);
  if (arguments.failed()) return nullptr;
  if (target.size() < 16) return throw_status(env, TBK_INVALID);
  auto* out = reinterpret_cast<uint8_t*>(const_cast<char*>(target.data()));
  const tbk_status_t status = tbk_ref_id(endpoint->core(), ref, out);
  return status == TBK_OK ? nullptr : throw_status(env, status);
}

// watch(ref)
napi_value watch(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t ref = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  const tbk_status_t status = tbk_watch(endpoint->core(), &ref, 1);
  return status == TBK_OK ? nullptr : throw_status(env, status);
}

}  // namespace

void add_value_methods(std::vector<napi_property_descriptor>& methods) {
  methods.push_back(method("put", put));
  methods.push_back(method("refReserve", ref_reserve));
  methods.push_back(method("refRetain", ref_retain));
  methods.push_back(method("refRelease", ref_release));
  methods.push_back(method("refRead", ref_read));
  methods.push_back(method("refId", ref_id));
  methods.push_back(method("watch", watch));
}

}  // namespace thornback::addon
