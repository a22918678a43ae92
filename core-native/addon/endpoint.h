// One attached endpoint as JavaScript sees it: an object with the functions of thornback.h as
// methods, two blocks of shared memory for what is sent and what arrives (layout.h), and a place in
// the environment's event loop.
//
// Everything here runs on the thread of the environment that attached; an environment may attach
// several endpoints, and each worker thread has its own environment.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "addon/layout.h"
#include "thornback.h"

namespace thornback::addon {

class EventLoop;

// The core's endpoint, shared with the finalizers of mapped values, which may run after the detach.
struct Core {
  tbk_endpoint_t* endpoint = nullptr;       // null once detached
  std::unordered_multiset<tbk_ref_t> pins;  // what mapped values hold

  // Gives the pins back and detaches. The mappings stay: they are of their own.
  void detach();
};

class Endpoint {
 public:
  // Wraps an attached endpoint into a new JavaScript object. `deliver` is called with the number of
  // events.
  static napi_value wrap(napi_env env, napi_value constructor, tbk_endpoint_t* endpoint,
                         napi_value deliver);
  // The endpoint of a method's `this`; null with a JavaScript exception when it is none, or
  // detached.
  static Endpoint* of(napi_env env, napi_value self);
  static napi_value construct(napi_env env, napi_callback_info info);

  ~Endpoint() = default;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  napi_env env() const { return env_; }
  tbk_endpoint_t* core() const { return core_->endpoint; }
  const std::shared_ptr<Core>& shared_core() const { return core_; }
  bool attached() const { return core_->endpoint != nullptr; }
  Outbox& outbox() { return *outbox_; }

  // Hands over what JavaScript wrote into the outbox.
  void flush();
  // The same, and tells whether the last call of the outbox was taken; if not, no event tells it.
  tbk_status_t flush_last(std::string& text);
  // Flushes, collects events and calls JavaScript once for all of them. Returns their number.
  uint32_t pump();
  void detach();
  // Makes the event loop's life depend on Control::keep_alive now, not only before it next sleeps.
  void hold_loop();

  // Describes a value in the spare event, copying it into the spare bytes when it is small.
  void describe_spare(const tbk_value_t& value, tbk_ref_t ref);
  tbk_payload_t payload(uint32_t data_offset, double size, double buffer_token,
                        uint32_t refs_offset, uint32_t ref_count, uint32_t flags) const;

  // Buffers under construction, by token.
  void remember_buffer(const tbk_buffer_t& buffer) { buffers_[buffer.token] = buffer; }
  const tbk_buffer_t* buffer(uint64_t token) const;
  void forget_buffer(uint64_t token) { buffers_.erase(token); }

 private:
  struct Refusal {
    uint32_t record_kind;
    tbk_status_t status;
    double id;
    std::string text;
  };

  Endpoint(napi_env env, tbk_endpoint_t* endpoint);
  static void finalize(napi_env env, void* data, void* hint);
  static void on_environment_exit(napi_async_cleanup_hook_handle handle, void* data);
  void make_shared_memory(napi_value self, napi_value deliver);

  void flush_records(uint32_t count);
  void submit_calls(const Record* records, uint32_t count);
  void send_replies(const Record* records, uint32_t count);
  void refuse(const Record& record, tbk_status_t status);

  uint32_t collect();
  void describe(const tbk_event_t& event, Event& out);
  void describe_value(const tbk_value_t& value, Event& out, uint32_t& used, uint32_t limit);
  void describe_refusal(const Refusal& refusal, Event& out);
  void call_javascript(uint32_t count);
  void let_go_of_javascript();

  napi_env env_;
  std::shared_ptr<Core> core_;
  Outbox* outbox_ = nullptr;
  Inbox* inbox_ = nullptr;
  uint32_t inbox_used_ = 0;
  bool is_delivering_ =
      false;  // JavaScript runs, called by us: it may detach, but what it runs in has to stay
  EventLoop* loop_ = nullptr;  // deletes itself when closed
  napi_ref self_ = nullptr;
  napi_ref deliver_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle exit_hook_ = nullptr;
  std::vector<tbk_event_t> events_;
  std::vector<tbk_call_t> calls_;
  std::vector<tbk_reply_t> replies_;
  std::vector<tbk_ref_t> refs_;
  std::vector<Refusal> refusals_;
  std::unordered_map<uint64_t, tbk_buffer_t> buffers_;
};

}  // namespace thornback::addon
