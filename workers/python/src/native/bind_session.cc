#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <sys/prctl.h>

#include <csignal>

#include "bind.h"
#include "object_ref.h"
#include "object_stream.h"
#include "session.h"

namespace nb = nanobind;

namespace thornback::python {
namespace {

/// Where calls go; released with the last call site that uses it.
struct Target {
  tbk_target_t number = 0;
  uint32_t generation = 0;
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  ~Target() {
    if (number != 0 && generation == session().generation) {
      tbk_target_release(session().endpoint, number);
    }
  }
};

void check(tbk_status_t status, const char* what) {
  if (status == TBK_OK) return;
  raise_status(status, what);
  nb::raise_python_error();
}

tbk_endpoint_t* endpoint() {
  tbk_endpoint_t* found = require_endpoint();
  if (found == nullptr) nb::raise_python_error();
  return found;
}

tbk_ref_t number_of(nb::handle ref) {
  if (ObjectStream::check(ref.ptr())) return reinterpret_cast<ObjectStream*>(ref.ptr())->ref;
  if (!ObjectRef::check(ref.ptr())) throw nb::type_error("an ObjectRef was expected");
  tbk_ref_t number = ObjectRef::number(ref.ptr());
  if (number == 0) nb::raise_python_error();
  return number;
}

void begin(tbk_endpoint_t* attached, uint32_t role) {
  if (!session_started(attached, role)) {
    session_end();
    nb::raise_python_error();
  }
}

void attach(const std::string& socket_path, uint32_t role, const std::string& token,
            int64_t spin_ns, int cancel_signal) {
  tbk_attach_options_t options{};
  options.size = sizeof options;
  options.role = role;
  options.socket_path = socket_path.c_str();
  options.token = token.c_str();
  options.language = "python";
  options.spin_ns = spin_ns;
  options.cancel_signal = cancel_signal;
  // User code that never returns must not keep a worker of a dead session alive.
  options.flags = role == TBK_ROLE_WORKER ? static_cast<uint32_t>(TBK_ATTACH_EXIT_WITH_NODE) : 0U;
  tbk_endpoint_t* out = nullptr;
  tbk_status_t status;
  {
    nb::gil_scoped_release released;
    status = tbk_attach(&options, &out);
  }
  check(status, "the session cannot be joined");
  begin(out, role);
}

void node_start(const std::string& socket_path, uint64_t store_bytes_max) {
  tbk_node_options_t node{};
  node.size = sizeof node;
  node.socket_path = socket_path.c_str();
  node.store_bytes_max = store_bytes_max;
  tbk_attach_options_t self{};
  self.size = sizeof self;
  self.role = TBK_ROLE_AGENT;
  self.socket_path = node.socket_path;
  self.language = "python";
  self.spin_ns = -1;
  tbk_endpoint_t* out = nullptr;
  tbk_status_t status;
  {
    nb::gil_scoped_release released;
    status = tbk_node_start(&node, &self, &out);
  }
  check(status, "the node cannot start");
  begin(out, TBK_ROLE_AGENT);
}

nb::dict info() {
  tbk_info_t got{};
  got.size = sizeof got;
  check(tbk_endpoint_info(endpoint(), &got), "no information");
  nb::dict out;
  out["endpoint_id"] = got.endpoint_id;
  out["cpu_count"] = got.cpu_count;
  out["inline_bytes_max"] = got.inline_bytes_max;
  out["store_bytes_max"] = got.store_bytes_max;
  out["arena_bytes_max"] = got.arena_bytes_max;
  return out;
}

nb::dict stats() {
  tbk_stats_t got{};
  got.size = sizeof got;
  check(tbk_endpoint_stats(endpoint(), &got), "no statistics");
  nb::dict out;
  out["spinning_allowed"] = got.spinning_allowed != 0;
  out["frames_sent"] = got.frames_sent;
  out["frames_received"] = got.frames_received;
  out["calls_submitted"] = got.calls_submitted;
  out["calls_completed"] = got.calls_completed;
  out["calls_received"] = got.calls_received;
  out["calls_replied"] = got.calls_replied;
  out["calls_pending"] = got.calls_pending;
  out["pending_bytes"] = got.pending_bytes;
  out["wakes_sent"] = got.wakes_sent;
  out["sleeps"] = got.sleeps;
  out["refs_live"] = got.refs_live;
  out["objects_live"] = got.objects_live;
  out["object_bytes"] = got.object_bytes;
  out["store_bytes_node"] = got.store_bytes_node;
  out["bytes_shared"] = got.bytes_shared;
  return out;
}

uint32_t function_id(nb::str name) {
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(name.ptr(), &size);
  if (text == nullptr) nb::raise_python_error();
  tbk_function_t out = 0;
  check(tbk_function(endpoint(), text, static_cast<uint32_t>(size), &out), "no such function");
  return out;
}

std::string function_name(uint32_t function) {
  const char* name = nullptr;
  uint32_t size = 0;
  check(tbk_function_name(endpoint(), function, &name, &size), "no such function");
  return {name, size};
}

Target* adopt(tbk_target_t number) {
  auto* target = new Target();
  target->number = number;
  target->generation = session().generation;
  return target;
}

Target* target_endpoint(uint32_t endpoint_id, uint32_t instance) {
  tbk_target_t out = 0;
  check(tbk_target_endpoint(endpoint(), endpoint_id, instance, &out), "no target");
  return adopt(out);
}

/// `id` is empty for an actor that is not restarted.
Target* target_actor(nb::handle address, nb::bytes id) {
  tbk_target_t out = 0;
  const auto* name = id.size() == 16 ? static_cast<const uint8_t*>(id.data()) : nullptr;
  check(tbk_target_actor(endpoint(), number_of(address), name, &out), "no target");
  return adopt(out);
}

Target* target_tasks(nb::bytes shape) {
  tbk_target_t out = 0;
  auto* data = static_cast<const uint8_t*>(shape.data());
  check(tbk_target_tasks(endpoint(), data, static_cast<uint32_t>(shape.size()), &out), "no target");
  return adopt(out);
}

void target_limit(tbk_target_t target, uint64_t calls_max, uint64_t bytes_max) {
  check(tbk_target_limit(endpoint(), target, calls_max, bytes_max), "no limit");
}

/// Whether there is room within the time.
bool target_room(tbk_target_t target, int64_t timeout_ns) {
  endpoint();
  int status = wait_room(target, timeout_ns);
  if (status < 0) nb::raise_python_error();
  return status == TBK_OK;
}

/// (calls, bytes, max_calls, max_bytes, refused, throttled_seconds)
nb::tuple target_stats(tbk_target_t target) {
  tbk_target_stats_t got{};
  got.size = sizeof got;
  check(tbk_target_stats(endpoint(), target, &got), "no statistics");
  return nb::make_tuple(got.calls_pending, got.bytes_pending, got.calls_max, got.bytes_max,
                        got.refused, static_cast<double>(got.throttled_ns) / 1e9);
}

uint32_t call_option(uint32_t flags, int32_t priority, uint32_t retries, uint64_t retry_delay_ns,
                     const std::string& retry_on, const std::string& group) {
  tbk_call_options_t options{};
  options.size = sizeof options;
  options.flags = flags;
  options.priority = priority;
  options.retries = retries;
  options.retry_delay_ns = retry_delay_ns;
  options.retry_on = retry_on.data();
  options.retry_on_size = static_cast<uint32_t>(retry_on.size());
  options.group = group.data();
  options.group_size = static_cast<uint32_t>(group.size());
  uint32_t out = 0;
  check(tbk_call_option(endpoint(), &options, &out), "the options cannot be used");
  return out;
}

/// instance_groups(instance, [(name, limit)], [(function, index of a group)])
void instance_groups(uint32_t instance, const std::vector<std::pair<std::string, uint32_t>>& groups,
                     const std::vector<std::pair<uint32_t, uint32_t>>& methods) {
  std::vector<tbk_group_t> group_list;
  for (const auto& [name, limit] : groups) {
    group_list.push_back({name.data(), static_cast<uint32_t>(name.size()), limit});
  }
  std::vector<tbk_method_group_t> method_list;
  for (const auto& [function, group] : methods) method_list.push_back({function, group});
  check(tbk_instance_groups(endpoint(), instance, group_list.data(),
                            static_cast<uint32_t>(group_list.size()), method_list.data(),
                            static_cast<uint32_t>(method_list.size())),
        "the concurrency groups");
}

void cancel(nb::handle ref, bool recursive, bool force) {
  tbk_ref_t number = number_of(ref);
  if (number == 0) return;
  uint32_t flags = 0;
  if (recursive) flags |= TBK_CANCEL_RECURSIVE;
  if (force) flags |= TBK_CANCEL_FORCE;
  check(tbk_cancel(endpoint(), number, flags), "it cannot be cancelled");
}

}  // namespace

void bind_session(nb::module_& m) {
  m.def("attach", attach);
  m.def("node_start", node_start);
  m.def("detach", session_end);
  m.def("abandon", session_abandon);
  m.def("die_with_parent", [] { prctl(PR_SET_PDEATHSIG, SIGKILL); });
  m.def("version", [] { return tbk_version(); });
  m.def("attached", [] { return session().endpoint != nullptr; });
  m.def("generation", [] { return session().generation; });
  m.def("info", info);
  m.def("stats", stats);
  m.def("function", function_id);
  m.def("function_name", function_name);
  nb::class_<Target>(m, "Target").def_ro("number", &Target::number);
  m.def("target_endpoint", target_endpoint);
  m.def("target_actor", target_actor);
  m.def("target_tasks", target_tasks);
  m.def("target_limit", target_limit);
  m.def("target_room", target_room);
  m.def("target_stats", target_stats);
  m.def("call_option", call_option);
  m.def("instance_groups", instance_groups);
  m.def("cancel", cancel);
}

}  // namespace thornback::python
