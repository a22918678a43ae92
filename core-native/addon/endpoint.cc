#include "addon/endpoint.h"

#include <utility>

#include "addon/event_loop.h"
#include "addon/node_values.h"

namespace thornback::addon {

namespace {

// Tells our objects from others with the same prototype chain.
constexpr napi_type_tag kTag = {0x8d3f0c5e5b7a4e21, 0xa46f29d1c0be7713};

// With more events than this in one delivery, what JavaScript submits meanwhile is sent in batches.
constexpr uint32_t kBusyEvents = 4;

}  // namespace

void Core::detach() {
  const std::vector<tbk_ref_t> refs(pins.begin(), pins.end());
  tbk_ref_release(endpoint, refs.data(), static_cast<uint32_t>(refs.size()));
  pins.clear();
  tbk_detach(std::exchange(endpoint, nullptr));
}

Endpoint::Endpoint(napi_env env, tbk_endpoint_t* endpoint)
    : env_(env), core_(std::make_shared<Core>()), events_(kEventsMax) {
  core_->endpoint = endpoint;
  calls_.reserve(kRecordsMax);
  replies_.reserve(kRecordsMax);
  refs_.reserve(kListMax);
}

// Called by `wrap` with an external that holds the endpoint; user code has no way to make one.
napi_value Endpoint::construct(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  void* data = nullptr;
  if (napi_get_value_external(env, arguments[0], &data) != napi_ok) {
    napi_throw_type_error(env, nullptr, "use attach or nodeStart");
    return nullptr;
  }
  require(env, napi_wrap(env, arguments.self(), data, finalize, nullptr, nullptr), "napi_wrap");
  require(env, napi_type_tag_object(env, arguments.self(), &kTag), "napi_type_tag_object");
  return arguments.self();
}

napi_value Endpoint::wrap(napi_env env, napi_value constructor, tbk_endpoint_t* endpoint,
                          napi_value deliver) {
  auto* self = new Endpoint(env, endpoint);
  napi_value external;
  napi_value object;
  require(env, napi_create_external(env, self, nullptr, nullptr, &external),
          "napi_create_external");
  require(env, napi_new_instance(env, constructor, 1, &external, &object), "napi_new_instance");
  self->make_shared_memory(object, deliver);
  uv_loop_t* loop = nullptr;
  require(env, napi_get_uv_event_loop(env, &loop), "napi_get_uv_event_loop");
  self->loop_ = EventLoop::start(loop, self, tbk_poll_fd(endpoint));
  require(env, napi_add_async_cleanup_hook(env, on_environment_exit, self, &self->exit_hook_),
          "napi_add_async_cleanup_hook");
  return object;
}

void Endpoint::make_shared_memory(napi_value self, napi_value deliver) {
  napi_value outbox;
  napi_value inbox;
  require(
      env_,
      napi_create_arraybuffer(env_, sizeof(Outbox), reinterpret_cast<void**>(&outbox_), &outbox),
      "napi_create_arraybuffer");
  require(env_,
          napi_create_arraybuffer(env_, sizeof(Inbox), reinterpret_cast<void**>(&inbox_), &inbox),
          "napi_create_arraybuffer");
  set_property(env_, self, "outbox", outbox);
  set_property(env_, self, "inbox", inbox);
  // While attached the object lives, and with it the two buffers.
  require(env_, napi_create_reference(env_, self, 1, &self_), "napi_create_reference");
  require(env_, napi_create_reference(env_, deliver, 1, &deliver_), "napi_create_reference");
  require(env_, napi_async_init(env_, self, make_text(env_, "thornback"), &context_),
          "napi_async_init");
}

Endpoint* Endpoint::of(napi_env env, napi_value self) {
  bool tagged = false;
  void* data = nullptr;
  if (napi_check_object_type_tag(env, self, &kTag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, self, &data) != napi_ok) {
    napi_throw_type_error(env, nullptr, "this is not an endpoint");
    return nullptr;
  }
  auto* endpoint = static_cast<Endpoint*>(data);
  if (!endpoint->attached()) {
    throw_status(env, TBK_CLOSED, "the endpoint is detached");
    return nullptr;
  }
  return endpoint;
}

void Endpoint::finalize(napi_env, void* data, void*) {
  delete static_cast<Endpoint*>(data);
}

void Endpoint::detach() {
  if (!attached()) return;
  flush();
  loop_->close(nullptr, nullptr);
  loop_ = nullptr;
  core_->detach();
  napi_remove_async_cleanup_hook(exit_hook_);
  if (!is_delivering_) let_go_of_javascript();
}

void Endpoint::let_go_of_javascript() {
  napi_async_destroy(env_, context_);
  napi_delete_reference(env_, deliver_);
  napi_delete_reference(env_, self_);
}

// The environment ends with the endpoint attached: JavaScript runs no more, and the environment
// waits until the event loop has closed our handles.
void Endpoint::on_environment_exit(napi_async_cleanup_hook_handle handle, void* data) {
  auto* self = static_cast<Endpoint*>(data);
  self->flush();
  self->loop_->close(
      [](void* hook) {
        napi_remove_async_cleanup_hook(static_cast<napi_async_cleanup_hook_handle>(hook));
      },
      handle);
  self->core_->detach();
}

void Endpoint::hold_loop() {
  loop_->hold_loop_while_needed();
}

const tbk_buffer_t* Endpoint::buffer(uint64_t token) const {
  const auto found = buffers_.find(token);
  return found == buffers_.end() ? nullptr : &found->second;
}

uint32_t Endpoint::pump() {
  flush();
  const uint32_t count = collect();
  if (count == 0) return 0;
  outbox_->control.busy = count > kBusyEvents ? 1 : 0;
  call_javascript(count);
  if (!attached()) return count;
  outbox_->control.busy = 0;
  flush();
  return count;
}

void Endpoint::call_javascript(uint32_t count) {
  napi_handle_scope scope;
  require(env_, napi_open_handle_scope(env_, &scope), "napi_open_handle_scope");
  napi_value self;
  napi_value deliver;
  require(env_, napi_get_reference_value(env_, self_, &self), "napi_get_reference_value");
  require(env_, napi_get_reference_value(env_, deliver_, &deliver), "napi_get_reference_value");
  napi_value argument;
  require(env_, napi_create_uint32(env_, count, &argument), "napi_create_uint32");
  // Runs the microtasks and process.nextTick before it returns, as any callback of the event loop
  // does.
  napi_env env = env_;
  is_delivering_ = true;
  if (napi_make_callback(env, context_, self, deliver, 1, &argument, nullptr) ==
      napi_pending_exception) {
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
  is_delivering_ = false;
  if (!attached()) let_go_of_javascript();
  napi_close_handle_scope(env, scope);
}

}  // namespace thornback::addon
