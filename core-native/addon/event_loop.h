// An endpoint's place in a libuv loop. The loop's own thread polls the core: no other thread and no
// thread-safe function is on the path of a call.
//
//   prepare   just before the loop would sleep: send, receive, spin if that is worth it, then arm
//   the descriptor check     after it slept: receive idle      runs while there may be more to
//   receive, so that the loop looks at its other sources without sleeping
#pragma once

#include <uv.h>

#include <cstdint>

namespace thornback::addon {

class Endpoint;

class EventLoop {
 public:
  // Starts receiving. The object deletes itself after `close`.
  static EventLoop* start(uv_loop_t* loop, Endpoint* endpoint, int poll_fd);
  // Stops receiving at once; `on_closed` runs on the loop when libuv has let go of the handles.
  void close(void (*on_closed)(void*), void* data);
  // Makes libuv's view agree with Control::keep_alive: whether the endpoint keeps the loop from
  // ending.
  void hold_loop_while_needed();

 private:
  EventLoop() = default;
  void on_prepare();
  void on_check();
  void set_idle(bool idle);
  static void on_handle_closed(uv_handle_t* handle);

  Endpoint* endpoint_ = nullptr;
  uv_prepare_t prepare_{};
  uv_check_t check_{};
  uv_idle_t idle_{};
  uv_poll_t poll_{};
  bool armed_ = false;
  bool idle_running_ = false;
  int open_handles_ = 0;
  void (*on_closed_)(void*) = nullptr;
  void* on_closed_data_ = nullptr;
};

}  // namespace thornback::addon
