// Targets: where calls go, and how many of them may be pending there.

#include <string>

#include "addon/endpoint.h"
#include "addon/methods.h"
#include "addon/node_values.h"

namespace thornback::addon {

namespace {

constexpr size_t kActorIdBytes = 16;

// targetEndpoint(endpointId, instance): target
napi_value target_endpoint(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint32_t id = arguments.u32(0);
  const uint32_t instance = arguments.u32(1);
  if (arguments.failed()) return nullptr;
  tbk_target_t target = 0;
  const tbk_status_t status = tbk_target_endpoint(endpoint->core(), id, instance, &target);
  return status == TBK_OK ? make_number(env, target) : throw_status(env, status);
}

// targetActor(address: ref, id: Uint8Array): target. The id has 16 bytes, or none for an actor that
// is not restarted.
napi_value target_actor(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t address = arguments.whole(0);
  const std::string_view id = arguments.bytes(1);
  if (arguments.failed()) return nullptr;
  const bool has_id = id.size() == kActorIdBytes;
  tbk_target_t target = 0;
  const tbk_status_t status =
      tbk_target_actor(endpoint->core(), address,
                       has_id ? reinterpret_cast<const uint8_t*>(id.data()) : nullptr, &target);
  return status == TBK_OK ? make_number(env, target) : throw_status(env, status);
}

// targetTasks(shape: Uint8Array): target
napi_value target_tasks(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const std::string_view shape = arguments.bytes(0);
  if (arguments.failed()) return nullptr;
  tbk_target_t target = 0;
  const tbk_status_t status =
      tbk_target_tasks(endpoint->core(), reinterpret_cast<const uint8_t*>(shape.data()),
                       static_cast<uint32_t>(shape.size()), &target);
  return status == TBK_OK ? make_number(env, target) : throw_status(env, status);
}

// targetRelease(target)
napi_value target_release(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint32_t target = arguments.u32(0);
  if (!arguments.failed()) tbk_target_release(endpoint->core(), target);
  return nullptr;
}

// targetLimit(target, callsMax, bytesMax): 0 leaves a limit as it is.
napi_value target_limit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint32_t target = arguments.u32(0);
  const uint64_t calls = arguments.whole(1);
  const uint64_t bytes = arguments.whole(2);
  if (arguments.failed()) return nullptr;
  const tbk_status_t status = tbk_target_limit(endpoint->core(), target, calls, bytes);
  return status == TBK_OK ? nullptr : throw_status(env, status);
}

// targetRoom(target, timeoutNs): 0 when there is room, else TBK_WOULD_BLOCK, TBK_TIMEOUT or
// TBK_INTERRUPTED. With a timeout it blocks the thread: nothing of the outbox may be waiting.
napi_value target_room(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint32_t target = arguments.u32(0);
  const auto timeout_ns = static_cast<int64_t>(arguments.number(1));
  if (arguments.failed()) return nullptr;
  const tbk_status_t status = tbk_target_room(endpoint->core(), target, timeout_ns);
  const bool expected = status == TBK_OK || status == TBK_WOULD_BLOCK || status == TBK_TIMEOUT ||
                        status == TBK_INTERRUPTED;
  return expected ? make_number(env, status) : throw_status(env, status);
}

// targetStats(target): object
napi_value target_stats(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint32_t target = arguments.u32(0);
  if (arguments.failed()) return nullptr;
  tbk_target_stats_t data{};
  data.size = sizeof data;
  const tbk_status_t status = tbk_target_stats(endpoint->core(), target, &data);
  if (status != TBK_OK) return throw_status(env, status);
  napi_value object;
  require(env, napi_create_object(env, &object), "napi_create_object");
  const auto add = [&](const char* name, uint64_t value) {
    set_property(env, object, name, make_number(env, static_cast<double>(value)));
  };
  add("callsPending", data.calls_pending);
  add("bytesPending", data.bytes_pending);
  add("callsMax", data.calls_max);
  add("bytesMax", data.bytes_max);
  add("refused", data.refused);
  add("throttledNs", data.throttled_ns);
  return object;
}

}  // namespace

void add_target_methods(std::vector<napi_property_descriptor>& methods) {
  methods.push_back(method("targetEndpoint", target_endpoint));
  methods.push_back(method("targetActor", target_actor));
  methods.push_back(method("targetTasks", target_tasks));
  methods.push_back(method("targetRelease", target_release));
  methods.push_back(method("targetLimit", target_limit));
  methods.push_back(method("targetRoom", target_room));
  methods.push_back(method("targetStats", target_stats));
}

}  // namespace thornback::addon
