// Calls: functions, options, submitting, cancelling, streams, replies.

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

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

// submit(): hands over the outbox now. Records that the core refuses come back as events.
napi_value submit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint != nullptr) endpoint->flush();
  return nullptr;
}

// submitLast(): the same; throws when the last call of the outbox was refused, which then has no
// event.
napi_value submit_last(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  std::string text;
  const tbk_status_t status = endpoint->flush_last(text);
  if (status != TBK_OK) throw_status(env, status, text);
  return nullptr;
}

// callOption(flags, priority, retries, retryDelayNs, retryOn, group): number
napi_value call_option(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  tbk_call_options_t options{};
  options.size = sizeof options;
  options.flags = arguments.u32(0);
  options.priority = static_cast<int32_t>(arguments.number(1));
  options.retries = arguments.u32(2);
  options.retry_delay_ns = arguments.whole(3);
  const std::string retry_on = arguments.text(4);
  const std::string group = arguments.text(5);
  if (arguments.failed()) return nullptr;
  options.retry_on = retry_on.data();
  options.retry_on_size = static_cast<uint32_t>(retry_on.size());
  options.group = group.data();
  options.group_size = static_cast<uint32_t>(group.size());
  uint32_t number = 0;
  const tbk_status_t status = tbk_call_option(endpoint->core(), &options, &number);
  return status == TBK_OK ? make_number(env, number) : throw_status(env, status);
}

// callState(call): 0 while its result is wanted, else TBK_CLOSED or TBK_NOT_FOUND.
napi_value call_state(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_incoming_t call = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  return make_number(env, tbk_call_state(endpoint->core(), call));
}

// instanceGroups(instance, names: text, limits: Uint32Array, methods: Uint32Array): the names are
// separated by newlines, the methods are pairs of function and index of its group.
napi_value instance_groups(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint32_t instance = arguments.u32(0);
  const std::string names = arguments.text(1);
  const std::string_view limits = arguments.bytes(2);
  const std::string_view pairs = arguments.bytes(3);
  if (arguments.failed()) return nullptr;
  std::vector<tbk_group_t> groups(limits.size() / sizeof(uint32_t));
  size_t at = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    const size_t end = std::min(names.find('\n', at), names.size());
    groups[i].name = names.data() + at;
    groups[i].name_size = static_cast<uint32_t>(end - at);
    std::memcpy(&groups[i].limit, limits.data() + i * sizeof(uint32_t), sizeof(uint32_t));
    at = std::min(end + 1, names.size());
  }
  std::vector<tbk_method_group_t> methods(pairs.size() / sizeof(tbk_method_group_t));
  if (!methods.empty()) std::memcpy(methods.data(), pairs.data(), pairs.size());
  const tbk_status_t status = tbk_instance_groups(
      endpoint->core(), instance, groups.data(), static_cast<uint32_t>(groups.size()),
      methods.data(), static_cast<uint32_t>(methods.size()));
  return status == TBK_OK ? nullptr : throw_status(env, status);
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
  methods.push_back(method("callOption", call_option));
  methods.push_back(method("submit", submit));
  methods.push_back(method("submitLast", submit_last));
  methods.push_back(method("cancel", cancel));
  methods.push_back(method("streamNext", stream_next));
  methods.push_back(method("instanceGroups", instance_groups));
  methods.push_back(method("reply", reply));
  methods.push_back(method("callState", call_state));
}

}  // namespace thornback::addon
