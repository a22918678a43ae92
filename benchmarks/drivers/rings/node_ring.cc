// The calling end for Node: values go out one by one, answers come back in batches through two typed arrays.
#include <node_api.h>
#include <unistd.h>

#include "ring_pair.h"

namespace {

using thornback::bench::Record;
using thornback::bench::RingEnd;
using thornback::bench::RingPair;

RingEnd* end = nullptr;
uint32_t* ids = nullptr;
double* values = nullptr;
size_t room = 0;

napi_value number(napi_env env, double value) {
  napi_value out = nullptr;
  napi_create_double(env, value, &out);
  return out;
}

// open(ids: Uint32Array, values: Float64Array): descriptor of the memory file
napi_value open(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  size_t value_room = 0;
  void* data = nullptr;
  napi_get_typedarray_info(env, args[0], nullptr, &room, &data, nullptr, nullptr);
  ids = static_cast<uint32_t*>(data);
  napi_get_typedarray_info(env, args[1], nullptr, &value_room, &data, nullptr, nullptr);
  values = static_cast<double*>(data);
  const int file = memfd_create("rings", 0);
  RingPair* pair = ftruncate(file, sizeof(RingPair)) == 0 ? RingPair::map(file) : nullptr;
  if (pair == nullptr || value_room < room) {
    napi_throw_error(env, nullptr, "no memory for the rings");
    return nullptr;
  }
  for (auto& header : pair->headers) new (&header) thornback::shm::RingHeader;
  end = new RingEnd(*pair, 0);
  thornback::bench::pin_to(0);
  return number(env, file);
}

// put(id, value): whether there was room
napi_value put(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  uint32_t id = 0;
  int64_t value = 0;
  napi_get_value_uint32(env, args[0], &id);
  napi_get_value_int64(env, args[1], &value);
  napi_value out = nullptr;
  napi_get_boolean(env, end->put(id, value), &out);
  return out;
}

// take(): publishes what was put, waits for answers, and returns how many the arrays have now
napi_value take(napi_env env, napi_callback_info) {
  end->publish();
  end->wait();
  size_t taken = 0;
  Record record;
  while (taken < room && end->next(record)) {
    ids[taken] = record.id;
    values[taken] = static_cast<double>(record.value);
    ++taken;
  }
  end->release();
  return number(env, static_cast<double>(taken));
}

// publish(): makes what was put visible
napi_value publish(napi_env, napi_callback_info) {
  end->publish();
  return nullptr;
}

napi_value init(napi_env env, napi_value exports) {
  const struct {
    const char* name;
    napi_callback function;
  } functions[] = {{"open", open}, {"put", put}, {"take", take}, {"publish", publish}};
  for (const auto& each : functions) {
    napi_value function = nullptr;
    napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.function, nullptr, &function);
    napi_set_named_property(env, exports, each.name, function);
  }
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
