// The C ABI: checks what a binding passes, turns Status into codes and text. No rule of the
// protocol lives here.
#include <sys/mman.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <string>

#include "node/build_version.h"
#include "runtime/endpoint.h"
#include "thornback.h"

struct tbk_endpoint {
  std::unique_ptr<thornback::runtime::Endpoint> self;
};

namespace {

using thornback::Result;
using thornback::Status;
using thornback::call::Engine;
using thornback::runtime::Endpoint;

thread_local std::string last_error_text;

tbk_status_t report(const Status& status) {
  // Expected outcomes of polling are not errors and come often: they keep the text of the last real
  // one.
  if (!status.is_ok() && status.code() != TBK_WOULD_BLOCK) last_error_text = status.text();
  return status.code();
}

tbk_status_t invalid(const char* what) {
  return report(Status(TBK_INVALID, what));
}

// Nothing may unwind into a binding. What can be thrown at all is the allocator's refusal.
template <typename Body>
tbk_status_t guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return report(Status(TBK_NO_MEMORY, "the process is out of memory"));
  } catch (const std::exception& error) {
    return report(Status(TBK_IO, error.what()));
  }
}

template <typename Operation>
tbk_status_t with_engine(tbk_endpoint_t* endpoint, Operation operation) {
  if (endpoint == nullptr) return invalid("the endpoint is null");
  return guarded([&] { return report(endpoint->self->with_engine(operation)); });
}

template <typename Struct>
bool has_size(const Struct* value) {
  return value != nullptr && value->size >= sizeof(Struct);
}

tbk_status_t adopt(Result<std::unique_ptr<Endpoint>> opened, tbk_endpoint_t** out) {
  if (!opened.is_ok()) return report(opened.status());
  *out = new tbk_endpoint{opened.take()};
  return TBK_OK;
}

}  // namespace

extern "C" {

tbk_status_t tbk_node_start(const tbk_node_options_t* node, const tbk_attach_options_t* self,
                            tbk_endpoint_t** out) {
  if (!has_size(node) || !has_size(self) || out == nullptr)
    return invalid("tbk_node_start: options of another version, or null");
  if (node->socket_path == nullptr) return invalid("tbk_node_start: socket_path is null");
  return guarded([&] {
    tbk_attach_options_t options = *self;
    options.socket_path = node->socket_path;
    options.role = TBK_ROLE_AGENT;
    return adopt(Endpoint::start_node(*node, options), out);
  });
}

tbk_status_t tbk_attach(const tbk_attach_options_t* options, tbk_endpoint_t** out) {
  if (!has_size(options) || out == nullptr)
    return invalid("tbk_attach: options of another version, or null");
  if (options->socket_path == nullptr) return invalid("tbk_attach: socket_path is null");
  return guarded([&] { return adopt(Endpoint::attach(*options), out); });
}

void tbk_detach(tbk_endpoint_t* endpoint) {
  delete endpoint;
}

const char* tbk_version(void) {
  return thornback::node::kBuildVersion;
}

const char* tbk_status_name(tbk_status_t status) {
  static constexpr const char* kNames[] = {
      "OK",       "WOULD_BLOCK", "TIMEOUT",   "INTERRUPTED", "BACK_PRESSURE", "CLOSED",
      "END",      "INVALID",     "NOT_FOUND", "STORE_FULL",  "NO_MEMORY",     "VERSION_MISMATCH",
      "PROTOCOL", "IO",          "PEER_DEAD"};
  const auto index = static_cast<size_t>(status);
  return index < sizeof kNames / sizeof kNames[0] ? kNames[index] : "UNKNOWN";
}

const char* tbk_last_error(void) {
  return last_error_text.c_str();
}

tbk_status_t tbk_endpoint_info(tbk_endpoint_t* endpoint, tbk_info_t* out) {
  if (endpoint == nullptr || !has_size(out))
    return invalid("tbk_endpoint_info: null, or a struct of another version");
  endpoint->self->fill(*out);
  return TBK_OK;
}

tbk_status_t tbk_endpoint_stats(tbk_endpoint_t* endpoint, tbk_stats_t* out) {
  if (endpoint == nullptr || !has_size(out))
    return invalid("tbk_endpoint_stats: null, or a struct of another version");
  endpoint->self->fill(*out);
  return TBK_OK;
}

tbk_status_t tbk_buffer_create(tbk_endpoint_t* endpoint, uint64_t size, tbk_buffer_t* out) {
  return with_engine(endpoint, [&](Engine& engine) { return engine.create_buffer(size, *out); });
}

tbk_status_t tbk_buffer_discard(tbk_endpoint_t* endpoint, uint64_t token) {
  return with_engine(endpoint, [&](Engine& engine) { return engine.discard_buffer(token); });
}

tbk_status_t tbk_put(tbk_endpoint_t* endpoint, const tbk_payload_t* payload, tbk_ref_t* out) {
  return with_engine(endpoint, [&](Engine& engine) { return engine.put(*payload, *out); });
}

tbk_status_t tbk_ref_reserve(tbk_endpoint_t* endpoint, uint32_t count, tbk_ref_t* out) {
  return with_engine(endpoint, [&](Engine& engine) {
    for (uint32_t i = 0; i < count; ++i) out[i] = engine.reserve();
    return Status::ok();
  });
}

tbk_status_t tbk_ref_retain(tbk_endpoint_t* endpoint, tbk_ref_t ref) {
  return with_engine(endpoint, [&](Engine& engine) { return engine.retain(ref); });
}

void tbk_ref_release(tbk_endpoint_t* endpoint, const tbk_ref_t* refs, uint32_t count) {
  (void)with_engine(endpoint, [&](Engine& engine) {
    for (uint32_t i = 0; i < count; ++i) engine.release(refs[i]);
    return Status::ok();
  });
}

tbk_status_t tbk_ref_read(tbk_endpoint_t* endpoint, tbk_ref_t ref, tbk_value_t* out) {
  return with_engine(endpoint, [&](Engine& engine) { return engine.read(ref, *out); });
}

tbk_status_t tbk_ref_id(tbk_endpoint_t* endpoint, tbk_ref_t ref, uint8_t out[16]) {
  return with_engine(endpoint, [&](Engine& engine) { return engine.id(ref, out); });
}

tbk_status_t tbk_wait(tbk_endpoint_t* endpoint, const tbk_ref_t* refs, uint32_t count,
                      uint32_t want, int64_t timeout_ns, uint8_t* ready) {
  if (endpoint == nullptr || (count > 0 && (refs == nullptr || ready == nullptr)))
    return invalid("tbk_wait: null");
  return guarded([&] { return endpoint->self->wait(refs, count, want, timeout_ns, ready); });
}

tbk_status_t tbk_watch(tbk_endpoint_t* endpoint, const tbk_ref_t* refs, uint32_t count) {
  return with_engine(endpoint, [&](Engine& engine) {
    for (uint32_t i = 0; i < count; ++i) {
      if (Status status = engine.watch(refs[i]); !status.is_ok()) return status;
    }
    return Status::ok();
  });
}

tbk_status_t tbk_map_private(tbk_endpoint_t* endpoint, tbk_ref_t ref, uint8_t** out_data,
                             uint64_t* out_size) {
  return with_engine(endpoint,
                     [&](Engine& engine) { return engine.map_private(ref, out_data, out_size); });
}

tbk_status_t tbk_unmap_private(uint8_t* data, uint64_t size) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(data) & ~(page - 1);
  const auto end = (reinterpret_cast<uintptr_t>(data) + size + page - 1) & ~(page - 1);
  if (data == nullptr || munmap(reinterpret_cast<void*>(first), end - first) != 0)
    return invalid("tbk_unmap_private: no such mapping");
  return TBK_OK;
}

tbk_status_t tbk_function(tbk_endpoint_t* endpoint, const char* name, uint32_t name_size,
                          tbk_function_t* out) {
  constexpr uint32_t kNameBytesMax = 4096;
  if (name == nullptr || name_size == 0 || name_size > kNameBytesMax)
    return invalid("tbk_function: a name has 1 to 4,096 bytes");
  return with_engine(endpoint, [&](Engine& engine) {
    *out = engine.intern_function({name, name_size});
    return Status::ok();
  });
}

tbk_status_t tbk_function_name(tbk_endpoint_t* endpoint, tbk_function_t function,
                               const char** out_name, uint32_t* out_size) {
  return with_engine(endpoint, [&](Engine& engine) {
    const std::string* name = engine.function_name(function);
    if (name == nullptr) return Status(TBK_NOT_FOUND, "no such function number");
    *out_name = name->data();
    *out_size = static_cast<uint32_t>(name->size());
    return Status::ok();
  });
}

tbk_status_t tbk_target_endpoint(tbk_endpoint_t* endpoint, uint32_t endpoint_id, uint32_t instance,
                                 tbk_target_t* out) {
  return with_engine(endpoint, [&](Engine& engine) {
    *out = engine.open_endpoint_target(endpoint_id, instance);
    return Status::ok();
  });
}

tbk_status_t tbk_target_actor(tbk_endpoint_t* endpoint, tbk_ref_t address, const uint8_t* id,
                              tbk_target_t* out) {
  return with_engine(endpoint,
                     [&](Engine& engine) { return engine.open_actor_target(address, id, *out); });
}

tbk_status_t tbk_target_tasks(tbk_endpoint_t* endpoint, const uint8_t* shape, uint32_t shape_size,
                              tbk_target_t* out) {
  if (shape == nullptr || shape_size == 0) return invalid("tbk_target_tasks: the shape is empty");
  return with_engine(endpoint, [&](Engine& engine) {
    *out = engine.open_task_target({shape, shape + shape_size});
    return Status::ok();
  });
}

void tbk_target_release(tbk_endpoint_t* endpoint, tbk_target_t target) {
  (void)with_engine(endpoint, [&](Engine& engine) {
    engine.release_target(target);
    return Status::ok();
  });
}

tbk_status_t tbk_target_limit(tbk_endpoint_t* endpoint, tbk_target_t target, uint64_t calls_max,
                              uint64_t bytes_max) {
  return with_engine(
      endpoint, [&](Engine& engine) { return engine.limit_target(target, calls_max, bytes_max); });
}

tbk_status_t tbk_target_room(tbk_endpoint_t* endpoint, tbk_target_t target, int64_t timeout_ns) {
  if (endpoint == nullptr) return invalid("the endpoint is null");
  if (timeout_ns == 0)
    return with_engine(endpoint, [&](Engine& engine) { return engine.ask_for_room(target); });
  return guarded([&] { return endpoint->self->wait_for_room(target, timeout_ns); });
}

tbk_status_t tbk_target_stats(tbk_endpoint_t* endpoint, tbk_target_t target,
                              tbk_target_stats_t* out) {
  if (!has_size(out)) return invalid("tbk_target_stats: null, or a struct of another version");
  return with_engine(endpoint, [&](Engine& engine) { return engine.fill(target, *out); });
}

tbk_status_t tbk_call_option(tbk_endpoint_t* endpoint, const tbk_call_options_t* options,
                             uint32_t* out) {
  if (!has_size(options) || out == nullptr)
    return invalid("tbk_call_option: null, or a struct of another version");
  return with_engine(endpoint,
                     [&](Engine& engine) { return engine.register_options(*options, *out); });
}

tbk_status_t tbk_submit(tbk_endpoint_t* endpoint, const tbk_call_t* calls, uint32_t count,
                        uint32_t* accepted) {
  return with_engine(endpoint, [&](Engine& engine) {
    for (*accepted = 0; *accepted < count; ++*accepted) {
      if (Status status = engine.submit(calls[*accepted]); !status.is_ok()) return status;
    }
    return Status::ok();
  });
}

tbk_status_t tbk_cancel(tbk_endpoint_t* endpoint, tbk_ref_t result, uint32_t flags) {
  return with_engine(endpoint, [&](Engine& engine) { return engine.cancel(result, flags); });
}

tbk_status_t tbk_stream_next(tbk_endpoint_t* endpoint, tbk_ref_t stream, tbk_ref_t* out_item) {
  return with_engine(endpoint,
                     [&](Engine& engine) { return engine.stream_next(stream, *out_item); });
}

tbk_status_t tbk_instance_groups(tbk_endpoint_t* endpoint, uint32_t instance,
                                 const tbk_group_t* groups, uint32_t group_count,
                                 const tbk_method_group_t* methods, uint32_t method_count) {
  return with_engine(endpoint, [&](Engine& engine) {
    return engine.set_groups(instance, groups, group_count, methods, method_count);
  });
}

tbk_status_t tbk_reply(tbk_endpoint_t* endpoint, const tbk_reply_t* replies, uint32_t count,
                       uint32_t* accepted) {
  return with_engine(endpoint, [&](Engine& engine) {
    for (*accepted = 0; *accepted < count; ++*accepted) {
      if (Status status = engine.reply(replies[*accepted]); !status.is_ok()) return status;
    }
    return Status::ok();
  });
}

tbk_status_t tbk_call_state(tbk_endpoint_t* endpoint, tbk_incoming_t call) {
  if (endpoint == nullptr) return invalid("the endpoint is null");
  (void)guarded([&] {
    endpoint->self->look();
    return TBK_OK;
  });
  return with_engine(endpoint, [&](Engine& engine) { return engine.call_state(call); });
}

tbk_status_t tbk_stream_credit(tbk_endpoint_t* endpoint, tbk_incoming_t call, int64_t timeout_ns) {
  if (endpoint == nullptr) return invalid("the endpoint is null");
  return guarded([&] { return endpoint->self->wait_for_credit(call, timeout_ns); });
}

tbk_status_t tbk_poll(tbk_endpoint_t* endpoint, tbk_event_t* events, uint32_t max,
                      int64_t timeout_ns, uint32_t* count) {
  if (endpoint == nullptr || events == nullptr || count == nullptr)
    return invalid("tbk_poll: null");
  return guarded([&] { return endpoint->self->poll(events, max, timeout_ns, count); });
}

int tbk_poll_fd(tbk_endpoint_t* endpoint) {
  return endpoint == nullptr ? -1 : endpoint->self->poll_fd();
}

tbk_status_t tbk_poll_arm(tbk_endpoint_t* endpoint) {
  if (endpoint == nullptr) return invalid("the endpoint is null");
  return guarded([&] { return endpoint->self->poll_arm(); });
}

tbk_status_t tbk_poll_spin(tbk_endpoint_t* endpoint) {
  if (endpoint == nullptr) return invalid("the endpoint is null");
  return guarded([&] { return endpoint->self->poll_spin(); });
}

void tbk_wake(tbk_endpoint_t* endpoint) {
  if (endpoint != nullptr) endpoint->self->wake();
}

}  // extern "C"
