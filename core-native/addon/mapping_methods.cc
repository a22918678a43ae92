// Large values: private mappings of stored ones, and buffers in the store under construction.

#include <cstring>
#include <memory>
#include <utility>

#include "addon/endpoint.h"
#include "addon/methods.h"
#include "addon/node_values.h"

namespace thornback::addon {

namespace {

// One private mapping behind one ArrayBuffer. It owns a count of the ref that pins the bytes, as
// long as the endpoint is attached.
struct Mapping {
  std::shared_ptr<Core> core;
  tbk_ref_t ref = 0;
  uint8_t* data = nullptr;
  uint64_t size = 0;

  Mapping(std::shared_ptr<Core> core_in, tbk_ref_t ref_in) : core(std::move(core_in)), ref(ref_in) {
    core->pins.insert(ref);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (data != nullptr) (void)tbk_unmap_private(data, size);
    if (core->endpoint == nullptr) return;
    core->pins.erase(core->pins.find(ref));
    tbk_ref_release(core->endpoint, &ref, 1);
  }
};

void finalize_mapping(napi_env, void*, void* hint) {
  delete static_cast<Mapping*>(hint);
}

napi_value copy_of(napi_env env, const void* data, size_t size) {
  napi_value buffer;
  void* target = nullptr;
  if (napi_create_arraybuffer(env, size, &target, &buffer) != napi_ok) {
    throw_status(env, TBK_NO_MEMORY, "no memory for a value of " + std::to_string(size) + " bytes");
    return nullptr;
  }
  std::memcpy(target, data, size);
  return buffer;
}

// mapPrivate(ref): ArrayBuffer over the stored value. Writes to it are seen by this process only.
// It is unmapped when it is garbage collected, or by unmapPrivate.
napi_value map_private(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const tbk_ref_t ref = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  tbk_status_t status = tbk_ref_retain(endpoint->core(), ref);
  if (status != TBK_OK) return throw_status(env, status);
  auto mapping = std::make_unique<Mapping>(endpoint->shared_core(), ref);
  status = tbk_map_private(endpoint->core(), ref, &mapping->data, &mapping->size);
  if (status != TBK_OK) return throw_status(env, status);
  napi_value buffer;
  const napi_status created = napi_create_external_arraybuffer(
      env, mapping->data, mapping->size, finalize_mapping, mapping.get(), &buffer);
  if (created == napi_ok) {
    (void)mapping.release();
    return buffer;
  }
  // Runtimes with a memory cage (Electron) have no external buffers.
  return copy_of(env, mapping->data, mapping->size);
}

// unmapPrivate(buffer): empties the ArrayBuffer and every view of it; its memory goes with the next
// collection.
napi_value unmap_private(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  if (napi_detach_arraybuffer(env, arguments[0]) != napi_ok) {
    napi_throw_type_error(env, nullptr, "argument 0 is not a mapped ArrayBuffer");
  }
  return nullptr;
}

// copyOut(address, size): ArrayBuffer. Only for addresses that the current event or read gave.
napi_value copy_out(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint64_t address = arguments.whole(0);
  const uint64_t size = arguments.whole(1);
  if (arguments.failed()) return nullptr;
  return copy_of(env, reinterpret_cast<const void*>(static_cast<uintptr_t>(address)), size);
}

// bufferCreate(size): token
napi_value buffer_create(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint64_t size = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  tbk_buffer_t buffer{};
  const tbk_status_t status = tbk_buffer_create(endpoint->core(), size, &buffer);
  if (status != TBK_OK) return throw_status(env, status);
  endpoint->remember_buffer(buffer);
  return make_number(env, static_cast<double>(buffer.token));
}

// bufferWrite(token, offset, source: TypedArray): copies the array's bytes into the buffer.
napi_value buffer_write(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint64_t token = arguments.whole(0);
  const uint64_t offset = arguments.whole(1);
  const std::string_view source = arguments.bytes(2);
  if (arguments.failed()) return nullptr;
  const tbk_buffer_t* buffer = endpoint->buffer(token);
  if (buffer == nullptr || offset > buffer->size || source.size() > buffer->size - offset) {
    throw_status(env, TBK_INVALID, "no such buffer, or the bytes lie outside of it");
    return nullptr;
  }
  std::memcpy(buffer->data + offset, source.data(), source.size());
  return nullptr;
}

// bufferClear(token, offset, size): zeroes bytes of the buffer.
napi_value buffer_clear(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint64_t token = arguments.whole(0);
  const uint64_t offset = arguments.whole(1);
  const uint64_t size = arguments.whole(2);
  if (arguments.failed()) return nullptr;
  const tbk_buffer_t* buffer = endpoint->buffer(token);
  if (buffer == nullptr || offset > buffer->size || size > buffer->size - offset) {
    throw_status(env, TBK_INVALID, "no such buffer, or the bytes lie outside of it");
    return nullptr;
  }
  std::memset(buffer->data + offset, 0, size);
  return nullptr;
}

// bufferFinish(token): the buffer is complete; its token goes into a payload and its memory is
// written no more.
napi_value buffer_finish(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  endpoint->forget_buffer(arguments.whole(0));
  return nullptr;
}

// bufferDiscard(token)
napi_value buffer_discard(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Endpoint* endpoint = Endpoint::of(env, arguments.self());
  if (endpoint == nullptr) return nullptr;
  const uint64_t token = arguments.whole(0);
  if (arguments.failed()) return nullptr;
  endpoint->forget_buffer(token);
  const tbk_status_t status = tbk_buffer_discard(endpoint->core(), token);
  return status == TBK_OK ? nullptr : throw_status(env, status);
}

}  // namespace

void add_mapping_methods(std::vector<napi_property_descriptor>& methods) {
  methods.push_back(method("mapPrivate", map_private));
  methods.push_back(method("unmapPrivate", unmap_private));
  methods.push_back(method("copyOut", copy_out));
  methods.push_back(method("bufferCreate", buffer_create));
  methods.push_back(method("bufferWrite", buffer_write));
  methods.push_back(method("bufferClear", buffer_clear));
  methods.push_back(method("bufferFinish", buffer_finish));
  methods.push_back(method("bufferDiscard", buffer_discard));
}

}  // namespace thornback::addon
