// The module `thornback.node`: attaching, starting a node, and what is common to all endpoints of
// an environment.
//
// Functions of thornback.h that block (tbk_wait, tbk_stream_credit), and tbk_poll with its
// companions, which the event loop calls, have no JavaScript function; tbk_wake is for runtimes
// that block.

#include <node_api.h>

#include <memory>

#include "addon/endpoint.h"
#include "addon/methods.h"
#include "addon/node_values.h"

namespace thornback::addon {

namespace {

// What one environment keeps of the module: worker threads load it once more each.
struct Instance {
  napi_ref endpoint_constructor = nullptr;
};

napi_value constructor_of(napi_env env) {
  Instance* instance = nullptr;
  require(env, napi_get_instance_data(env, reinterpret_cast<void**>(&instance)),
          "napi_get_instance_data");
  napi_value constructor;
  require(env, napi_get_reference_value(env, instance->endpoint_constructor, &constructor),
          "napi_get_reference_value");
  return constructor;
}

// The C options with the strings they point to.
struct AttachOptions {
  AttachOptions(napi_env env, napi_value object)
      : socket_path(text_option(env, object, "socketPath")),
        token(text_option(env, object, "token")),
        language(text_option(env, object, "language")) {
    options.size = sizeof(options);
    options.role = static_cast<uint32_t>(number_option(env, object, "role", TBK_ROLE_DRIVER));
    options.socket_path = socket_path.c_str();
    options.token = token.empty() ? nullptr : token.c_str();
    options.language = language.c_str();
    options.spin_ns = static_cast<int64_t>(number_option(env, object, "spinNs", -1));
    options.pending_calls_max =
        static_cast<uint64_t>(number_option(env, object, "pendingCallsMax", 0));
    options.pending_bytes_max =
        static_cast<uint64_t>(number_option(env, object, "pendingBytesMax", 0));
    options.flags = static_cast<uint32_t>(number_option(env, object, "flags", 0));
  }
  AttachOptions(const AttachOptions&) = delete;
  AttachOptions& operator=(const AttachOptions&) = delete;

  std::string socket_path;
  std::string token;
  std::string language;
  tbk_attach_options_t options{};
};

// attach(options, deliver): endpoint
napi_value attach(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const AttachOptions self(env, arguments[0]);
  tbk_endpoint_t* endpoint = nullptr;
  const tbk_status_t status = tbk_attach(&self.options, &endpoint);
  if (status != TBK_OK) return throw_status(env, status);
  return Endpoint::wrap(env, constructor_of(env), endpoint, arguments[1]);
}

// nodeStart(nodeOptions, options, deliver): endpoint 0
napi_value node_start(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::string socket_path = text_option(env, arguments[0], "socketPath");
  tbk_node_options_t node{};
  node.size = sizeof(node);
  node.socket_path = socket_path.c_str();
  node.store_bytes_max =
      static_cast<uint64_t>(number_option(env, arguments[0], "storeBytesMax", 0));
  node.arena_bytes_max =
      static_cast<uint64_t>(number_option(env, arguments[0], "arenaBytesMax", 0));
  const AttachOptions self(env, arguments[1]);
  tbk_endpoint_t* endpoint = nullptr;
  const tbk_status_t status = tbk_node_start(&node, &self.options, &endpoint);
  if (status != TBK_OK) return throw_status(env, status);
  return Endpoint::wrap(env, constructor_of(env), endpoint, arguments[2]);
}

// statusName(status): string
napi_value status_name(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const uint32_t status = arguments.u32(0);
  if (arguments.failed()) return nullptr;
  return make_text(env, tbk_status_name(static_cast<tbk_status_t>(status)));
}

// lastError(): string
napi_value last_error(napi_env env, napi_callback_info) {
  return make_text(env, tbk_last_error());
}

void define_endpoint(napi_env env, Instance* instance) {
  std::vector<napi_property_descriptor> methods;
  add_value_methods(methods);
  add_mapping_methods(methods);
  add_call_methods(methods);
  add_target_methods(methods);
  add_session_methods(methods);
  napi_value constructor;
  require(env,
          napi_define_class(env, "NativeEndpoint", NAPI_AUTO_LENGTH, Endpoint::construct, nullptr,
                            methods.size(), methods.data(), &constructor),
          "napi_define_class");
  require(env, napi_create_reference(env, constructor, 1, &instance->endpoint_constructor),
          "napi_create_reference");
}

void export_layout(napi_env env, napi_value exports) {
  napi_value layout;
  require(env, napi_create_object(env, &layout), "napi_create_object");
  const auto add = [&](const char* name, size_t value) {
    set_property(env, layout, name, make_number(env, static_cast<double>(value)));
  };
  add("version", kLayoutVersion);
  add("recordsMax", kRecordsMax);
  add("listMax", kListMax);
  add("eventsMax", kEventsMax);
  add("outboxBytes", kOutboxBytes);
  add("inboxBytes", kInboxBytes);
  add("spareBytes", kSpareBytes);
  add("copyMax", kCopyMax);
  add("records", offsetof(Outbox, records));
  add("releases", offsetof(Outbox, releases));
  add("retains", offsetof(Outbox, retains));
  add("watches", offsetof(Outbox, watches));
  add("reservedRefs", offsetof(Outbox, reserved_refs));
  add("outgoing", offsetof(Outbox, bytes));
  add("incoming", offsetof(Inbox, bytes));
  set_property(env, exports, "layout", layout);
}

napi_value initialise(napi_env env, napi_value exports) {
  auto instance = std::make_unique<Instance>();
  define_endpoint(env, instance.get());
  require(env,
          napi_set_instance_data(
              env, instance.release(),
              [](napi_env, void* data, void*) { delete static_cast<Instance*>(data); }, nullptr),
          "napi_set_instance_data");
  const napi_property_descriptor functions[] = {
      method("attach", attach), method("nodeStart", node_start), method("statusName", status_name),
      method("lastError", last_error)};
  require(env, napi_define_properties(env, exports, std::size(functions), functions),
          "napi_define_properties");
  set_property(env, exports, "version", make_text(env, tbk_version()));
  set_property(env, exports, "abiVersion", make_number(env, TBK_ABI_VERSION));
  export_layout(env, exports);
  return exports;
}

}  // namespace

}  // namespace thornback::addon

NAPI_MODULE_INIT() {
  return thornback::addon::initialise(env, exports);
}
