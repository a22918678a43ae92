// What concerns the endpoint as a whole.

#include "addon/endpoint.h"
#include "addon/methods.h"
#include "addon/node_values.h"

namespace thornback::addon {

namespace {

napi_value make_object(napi_env env) {
  napi_value object;
  require(env, napi_create_object(env, &object), "napi_create_object");
  return object;
}

// detach()
napi_value detach(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint != nullptr) endpoint->detach();
  return nullptr;
}

// holdLoop(): applies Control::keep_alive now, before the event loop turns.
napi_value hold_loop(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint != nullptr) endpoint->hold_loop();
  return nullptr;
}

// endpointInfo(): object
napi_value endpoint_info(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  tbk_info_t data{};
  data.size = sizeof(data);
  const tbk_status_t status = tbk_endpoint_info(endpoint->core(), &data);
  if (status != TBK_OK) return throw_status(env, status);
  napi_value object = make_object(env);
  const auto add = [&](const char* name, auto value) {
    set_property(env, object, name, make_number(env, static_cast<double>(value)));
  };
  add("endpointId", data.endpoint_id);
  add("cpuCount", data.cpu_count);
  add("inlineBytesMax", data.inline_bytes_max);
  add("storeBytesMax", data.store_bytes_max);
  add("arenaBytesMax", data.arena_bytes_max);
  return object;
}

// endpointStats(): object
napi_value endpoint_stats(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  tbk_stats_t data{};
  data.size = sizeof(data);
  const tbk_status_t status = tbk_endpoint_stats(endpoint->core(), &data);
  if (status != TBK_OK) return throw_status(env, status);
  napi_value object = make_object(env);
  const auto add = [&](const char* name, auto value) {
    set_property(env, object, name, make_number(env, static_cast<double>(value)));
  };
  add("spinningAllowed", data.spinning_allowed);
  add("framesSent", data.frames_sent);
  add("framesReceived", data.frames_received);
  add("callsSubmitted", data.calls_submitted);
  add("callsCompleted", data.calls_completed);
  add("callsReceived", data.calls_received);
  add("callsReplied", data.calls_replied);
  add("callsPending", data.calls_pending);
  add("pendingBytes", data.pending_bytes);
  add("wakesSent", data.wakes_sent);
  add("sleeps", data.sleeps);
  add("refsLive", data.refs_live);
  add("objectsLive", data.objects_live);
  add("objectBytes", data.object_bytes);
  add("storeBytesNode", data.store_bytes_node);
  add("bytesShared", data.bytes_shared);
  return object;
}

}  // namespace

void add_session_methods(std::vector<napi_property_descriptor>& methods) {
  methods.push_back(method("detach", detach));
  methods.push_back(method("holdLoop", hold_loop));
  methods.push_back(method("endpointInfo", endpoint_info));
  methods.push_back(method("endpointStats", endpoint_stats));
}

}  // namespace thornback::addon
