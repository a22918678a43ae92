#include "addon/event_loop.h"

#include "addon/endpoint.h"
#include "thornback.h"

namespace thornback::addon {

namespace {

// How long one turn may go on receiving before timers and sockets get theirs.
constexpr uint64_t kTurnNs = 250'000;
constexpr uint32_t kTurnEvents = kEventsMax;

}  // namespace

EventLoop* EventLoop::start(uv_loop_t* loop, Endpoint* endpoint, int poll_fd) {
  auto* self = new EventLoop();
  self->endpoint_ = endpoint;
  uv_prepare_init(loop, &self->prepare_);
  uv_check_init(loop, &self->check_);
  uv_idle_init(loop, &self->idle_);
  uv_poll_init(loop, &self->poll_, poll_fd);
  self->open_handles_ = 4;
  for (auto* handle :
       {reinterpret_cast<uv_handle_t*>(&self->prepare_),
        reinterpret_cast<uv_handle_t*>(&self->check_), reinterpret_cast<uv_handle_t*>(&self->idle_),
        reinterpret_cast<uv_handle_t*>(&self->poll_)}) {
    handle->data = self;
  }
  uv_prepare_start(&self->prepare_, [](uv_prepare_t* handle) {
    static_cast<EventLoop*>(handle->data)->on_prepare();
  });
  uv_check_start(&self->check_,
                 [](uv_check_t* handle) { static_cast<EventLoop*>(handle->data)->on_check(); });
  // The descriptor only ends the loop's sleep; what arrived is received by `on_check`, in the same
  // turn.
  uv_poll_start(&self->poll_, UV_READABLE, [](uv_poll_t*, int, int) {});
  uv_unref(reinterpret_cast<uv_handle_t*>(&self->prepare_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&self->check_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&self->idle_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&self->poll_));
  return self;
}

void EventLoop::close(void (*on_closed)(void*), void* data) {
  if (endpoint_ == nullptr) return;
  endpoint_ = nullptr;
  on_closed_ = on_closed;
  on_closed_data_ = data;
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), on_handle_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&check_), on_handle_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), on_handle_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), on_handle_closed);
}

void EventLoop::on_handle_closed(uv_handle_t* handle) {
  auto* self = static_cast<EventLoop*>(handle->data);
  if (--self->open_handles_ > 0) return;
  if (self->on_closed_ != nullptr) self->on_closed_(self->on_closed_data_);
  delete self;
}

// Receives until nothing is left and the descriptor is armed, or until this turn's share of time is
// used up: then the loop does not sleep, looks at its other sources, and comes back.
void EventLoop::on_prepare() {
  if (endpoint_ == nullptr) return;
  const uint64_t start = uv_hrtime();
  uint32_t received = 0;
  bool more = false;
  for (;;) {
    const uint32_t count = endpoint_->pump();
    if (endpoint_ == nullptr) return;  // JavaScript detached it
    received += count;
    more = received >= kTurnEvents || uv_hrtime() - start > kTurnNs;
    if (more) break;
    if (count != 0 || tbk_poll_spin(endpoint_->core()) == TBK_OK) continue;
    const tbk_status_t status = tbk_poll_arm(endpoint_->core());
    armed_ = status == TBK_OK;
    if (status != TBK_WOULD_BLOCK) break;
  }
  hold_loop_while_needed();
  set_idle(more);
}

void EventLoop::on_check() {
  if (endpoint_ == nullptr || !armed_) return;
  armed_ = false;
  endpoint_->pump();
  if (endpoint_ != nullptr) hold_loop_while_needed();
}

void EventLoop::hold_loop_while_needed() {
  Control& control = endpoint_->outbox().control;
  const uint32_t needed = control.keep_alive != 0 ? 1 : 0;
  if (needed == control.referenced) return;
  control.referenced = needed;
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  needed != 0 ? uv_ref(handle) : uv_unref(handle);
}

void EventLoop::set_idle(bool idle) {
  if (idle == idle_running_) return;
  idle_running_ = idle;
  if (idle) {
    uv_idle_start(&idle_, [](uv_idle_t*) {});
  } else {
    uv_idle_stop(&idle_);
  }
}

}  // namespace thornback::addon
