// Calls: functions, targets, submitting, cancelling, streams, replies.

#include "addon/endpoint.h"
#include "addon/event_loop.h"
#include "addon/methods.h"
#include "addon/node_values.h"

namespace thornback::addon {

namespace {

// functionId(name): number
napi_value function_id(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const std::string name = arguments.text(0);
  if (arguments.failed()) return nullptr;
  tbk_function_t function = 0;
  const tbk_status_t status =
      tbk_function(endpoint->core(), name.data(), static_cast<uint32_t>(name.size()), &function);
  return status == TBK_OK ? make_number(env, function) : throw_status(env, status);
}

// functionName(id): string
napi_value function_name(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint32_t function = arguments.u32(0);
  if (arguments.failed()) return nullptr;
  const char* name = nullptr;
  uint32_t size = 0;
  const tbk_status_t status = tbk_function_name(endpoint->core(), function, &name, &size);
  return status == TBK_OK ? make_text(env, {name, size}) : throw_status(env, status);
}

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

// targetActor(address: ref): target
napi_value target_actor(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t address = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  tbk_target_t target = 0;
  const tbk_status_t status = tbk_target_actor(endpoint->core(), address, nullptr, &target);
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

// submit(): hands over the outbox now. Records that the core refuses come back as events.
napi_value submit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint != nullptr) endpoint->flush();
  return nullptr;
}

// cancel(result, flags)
napi_value cancel(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t ref = arguments.whole(0);
  const uint32_t flags = arguments.u32(1);
  if (arguments.failed()) return nullptr;
  endpoint->flush();
  const tbk_status_t status = tbk_cancel(endpoint->core(), ref, flags);
  return status == TBK_OK ? nullptr : throw_status(env, status);
}

// streamNext(stream): 0 when the spare event describes the item and its `ref`, else TBK_WOULD_BLOCK
// or TBK_END.
napi_value stream_next(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t stream = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  tbk_ref_t item = 0;
  tbk_status_t status = tbk_stream_next(endpoint->core(), stream, &item);
  if (status == TBK_OK) {
    tbk_value_t value{};
    status = tbk_ref_read(endpoint->core(), item, &value);
    if (status == TBK_OK) endpoint->describe_spare(value, item);
  } else if (status != TBK_WOULD_BLOCK && status != TBK_END) {
    return throw_status(env, status);
  }
  return make_number(env, status);
}

// reply(call, flags, dataOffset, size, bufferToken, refsOffset, refCount, payloadFlags): status.
// For items of a stream, whose status says whether to go on; other replies go through the outbox.
napi_value reply(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  tbk_reply_t reply{};
  reply.call = arguments.whole(0);
  reply.flags = arguments.u32(1);
  reply.value = endpoint->payload(arguments.u32(2), arguments.number(3), arguments.number(4),
                                  arguments.u32(5), arguments.u32(6), arguments.u32(7));
  if (arguments.failed()) return nullptr;
  uint32_t accepted = 0;
  const tbk_status_t status = tbk_reply(endpoint->core(), &reply, 1, &accepted);
  const bool expected = status == TBK_OK || status == TBK_WOULD_BLOCK || status == TBK_CLOSED;
  return expected ? make_number(env, status) : throw_status(env, status);
}

}  // namespace

void add_call_methods(std::vector<napi_property_descriptor>& methods) {
  methods.push_back(method("functionId", function_id));
  methods.push_back(method("functionName", function_name));
  methods.push_back(method("targetEndpoint", target_endpoint));
  methods.push_back(method("targetActor", target_actor));
  methods.push_back(method("targetTasks", target_tasks));
  methods.push_back(method("targetRelease", target_release));
  methods.push_back(method("submit", submit));
  methods.push_back(method("cancel", cancel));
  methods.push_back(method("streamNext", stream_next));
  methods.push_back(method("reply", reply));
}

}  // namespace thornback::addon
