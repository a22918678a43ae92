#include "testing/runtime/session_fixture.h"

#include <cstdlib>
#include <filesystem>

namespace thornback::testing {

PrivateFolder::PrivateFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "thornback-test-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

PrivateFolder::~PrivateFolder() {
  std::filesystem::remove_all(path_);
}

tbk_attach_options_t attach_options(const std::string& socket, uint32_t role) {
  tbk_attach_options_t options{};
  options.size = sizeof options;
  options.role = role;
  options.socket_path = socket.c_str();
  options.language = "cpp";
  options.spin_ns = -1;
  return options;
}

tbk_payload_t payload(const std::string& bytes) {
  tbk_payload_t result{};
  result.data = reinterpret_cast<const uint8_t*>(bytes.data());
  result.size = bytes.size();
  return result;
}

tbk_payload_t payload(const std::string& bytes, const std::vector<tbk_ref_entry_t>& refs) {
  tbk_payload_t result = payload(bytes);
  result.refs = refs.data();
  result.ref_count = static_cast<uint32_t>(refs.size());
  return result;
}

Session::Session(uint64_t store_bytes)
    : folder_(std::make_unique<PrivateFolder>()), socket_(folder_->socket()) {
  start(store_bytes);
}

Session::Session(const std::string& socket, uint64_t store_bytes) : socket_(socket) {
  start(store_bytes);
}

void Session::start(uint64_t store_bytes) {
  tbk_node_options_t node{};
  node.size = sizeof node;
  node.socket_path = socket_.c_str();
  node.store_bytes_max = store_bytes;
  const tbk_attach_options_t options = attach_options(socket_, TBK_ROLE_AGENT);
  if (tbk_node_start(&node, &options, &agent_) != TBK_OK) ADD_FAILURE() << tbk_last_error();
}

uint32_t Session::next_peer() {
  while (true) {
    tbk_event_t event{};
    uint32_t count = 0;
    if (tbk_poll(agent_, &event, 1, 10'000'000'000, &count) != TBK_OK) {
      ADD_FAILURE() << "no endpoint joined";
      return 0;
    }
    if (event.kind == TBK_EVENT_PEER_JOINED) return event.caller;
  }
}

Session::~Session() {
  for (tbk_endpoint_t* endpoint : others_) tbk_detach(endpoint);
  tbk_detach(agent_);
}

tbk_endpoint_t* Session::attach(uint32_t role) {
  const tbk_attach_options_t options = attach_options(socket_, role);
  tbk_endpoint_t* endpoint = nullptr;
  if (tbk_attach(&options, &endpoint) != TBK_OK) ADD_FAILURE() << tbk_last_error();
  others_.push_back(endpoint);
  return endpoint;
}

void Session::detach(tbk_endpoint_t* endpoint) {
  std::erase(others_, endpoint);
  tbk_detach(endpoint);
}

EchoServer::EchoServer(tbk_endpoint_t* endpoint)
    : endpoint_(endpoint), id_(endpoint_id(endpoint)), thread_([this] { serve(); }) {}

void EchoServer::stop() {
  if (!thread_.joinable()) return;
  is_stopping_ = true;
  tbk_wake(endpoint_);
  thread_.join();
}

void EchoServer::serve() {
  tbk_event_t events[64];
  uint32_t count = 0;
  while (!is_stopping_) {
    if (tbk_poll(endpoint_, events, 64, -1, &count) == TBK_CLOSED) return;
    for (uint32_t i = 0; i < count; ++i) {
      if (events[i].kind == TBK_EVENT_CALL) answer(events[i]);
    }
  }
}

void EchoServer::answer(const tbk_event_t& event) {
  const char* name = nullptr;
  uint32_t size = 0;
  (void)tbk_function_name(endpoint_, event.function, &name, &size);
  const std::string function_name(name, size);
  ++served_;
  if (function_name == "count") return stream(event);
  if (function_name == "hold") return;
  tbk_reply_t reply{};
  reply.call = event.call;
  reply.value.data = event.value.data;
  reply.value.size = event.value.size;
  reply.value.refs = event.value.refs;
  reply.value.ref_count = event.value.ref_count;
  if (function_name == "fail") reply.value.flags = TBK_VALUE_ERROR;
  // A resolved argument stands for its value.
  tbk_value_t resolved{};
  if (function_name == "first" && event.value.ref_count > 0 &&
      tbk_ref_read(endpoint_, event.value.refs[0].ref, &resolved) == TBK_OK) {
    reply.value.data = resolved.data;
    reply.value.size = resolved.size;
    reply.value.ref_count = 0;
  }
  uint32_t accepted = 0;
  if (const tbk_status_t status = tbk_reply(endpoint_, &reply, 1, &accepted); status != TBK_OK) {
    ADD_FAILURE() << tbk_status_name(status) << ": " << tbk_last_error();
  }
}

void EchoServer::stream(const tbk_event_t& event) {
  const uint64_t items =
      std::stoull(std::string(reinterpret_cast<const char*>(event.value.data), event.value.size));
  uint32_t accepted = 0;
  for (uint64_t i = 0; i < items; ++i) {
    const std::string text = std::to_string(i);
    tbk_reply_t reply{};
    reply.call = event.call;
    reply.flags = TBK_REPLY_ITEM;
    reply.value = payload(text);
    tbk_status_t status = tbk_reply(endpoint_, &reply, 1, &accepted);
    if (status == TBK_WOULD_BLOCK) {
      status = tbk_stream_credit(endpoint_, event.call, -1);
      if (status == TBK_OK) status = tbk_reply(endpoint_, &reply, 1, &accepted);
    }
    if (status != TBK_OK) break;
  }
  tbk_reply_t last{};
  last.call = event.call;
  (void)tbk_reply(endpoint_, &last, 1, &accepted);
}

uint32_t endpoint_id(tbk_endpoint_t* endpoint) {
  tbk_info_t info{};
  info.size = sizeof info;
  (void)tbk_endpoint_info(endpoint, &info);
  return info.endpoint_id;
}

tbk_function_t function(tbk_endpoint_t* endpoint, const std::string& name) {
  tbk_function_t number = 0;
  (void)tbk_function(endpoint, name.data(), static_cast<uint32_t>(name.size()), &number);
  return number;
}

tbk_ref_t call(tbk_endpoint_t* endpoint, tbk_target_t target, const std::string& function_name,
               const tbk_payload_t& args, uint32_t flags) {
  tbk_call_t request{};
  (void)tbk_ref_reserve(endpoint, 1, &request.result);
  request.target = target;
  request.function = function(endpoint, function_name);
  request.flags = flags;
  request.args = args;
  uint32_t accepted = 0;
  if (tbk_submit(endpoint, &request, 1, &accepted) != TBK_OK) ADD_FAILURE() << tbk_last_error();
  return request.result;
}

std::string get(tbk_endpoint_t* endpoint, tbk_ref_t ref, bool* is_error) {
  uint8_t ready = 0;
  const tbk_status_t status = tbk_wait(endpoint, &ref, 1, 1, 10'000'000'000, &ready);
  if (status != TBK_OK) {
    ADD_FAILURE() << "waiting for a ref: " << tbk_status_name(status);
    return {};
  }
  tbk_value_t value{};
  if (tbk_ref_read(endpoint, ref, &value) != TBK_OK) ADD_FAILURE() << tbk_last_error();
  if (is_error != nullptr) *is_error = (value.flags & TBK_VALUE_ERROR) != 0;
  return {reinterpret_cast<const char*>(value.data), value.size};
}

void release(tbk_endpoint_t* endpoint, tbk_ref_t ref) {
  tbk_ref_release(endpoint, &ref, 1);
}

tbk_stats_t stats(tbk_endpoint_t* endpoint) {
  tbk_stats_t result{};
  result.size = sizeof result;
  (void)tbk_endpoint_stats(endpoint, &result);
  return result;
}

}  // namespace thornback::testing
