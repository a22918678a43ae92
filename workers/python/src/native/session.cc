#include "session.h"

#include <unistd.h>

#include <cmath>
#include <ctime>

#include "decoder.h"
#include "events.h"
#include "running.h"
#include "server.h"
#include "state.h"

namespace thornback::python {

Session& session() {
  static Session instance;
  return instance;
}

tbk_endpoint_t* require_endpoint() {
  return require_generation(session().generation);
}

tbk_endpoint_t* require_generation(uint32_t generation) {
  Session& s = session();
  if (s.endpoint != nullptr && s.generation == generation) return s.endpoint;
  if (generation == 0) {
    raise_code("NOT_INITIALISED", "there is no session: call thornback.init() first");
  } else {
    raise_code("SESSION_CLOSED", "the session has been shut down");
  }
  return nullptr;
}

bool session_started(tbk_endpoint_t* endpoint, uint32_t role) {
  Session& s = session();
  s.endpoint = endpoint;
  s.generation += 1;
  s.role = role;
  s.has_coroutines = false;
  tbk_info_t info{};
  info.size = sizeof info;
  tbk_status_t status = tbk_endpoint_info(endpoint, &info);
  if (status == TBK_OK) {
    s.inline_bytes_max = info.inline_bytes_max;
    s.endpoint_id = info.endpoint_id;
  }
  if (status == TBK_OK) return true;
  raise_status(status, "the session cannot start");
  return false;
}

void session_end() {
  Session& s = session();
  tbk_endpoint_t* endpoint = std::exchange(s.endpoint, nullptr);
  if (endpoint == nullptr) return;
  s.generation += 1;
  // The core keeps its mappings for as long as refs are alive; these nobody can use any more.
  tbk_ref_release(endpoint, s.reserved.data(), static_cast<uint32_t>(s.reserved.size()));
  s.reserved.clear();
  drop_events();
  drop_server();
  bool others = s.blocking > 0;
  Unlocked unlocked;
  // Detaching waits for threads inside the engine; one that has just let go of the GIL gets the
  // time to enter it.
  if (others) usleep(2000);
  tbk_detach(endpoint);
}

void session_abandon() {
  Session& s = session();
  if (s.endpoint == nullptr) return;
  s.endpoint = nullptr;
  s.generation += 1;
  s.reserved.clear();
  drop_events();
  drop_server();
}

tbk_ref_t take_result() {
  Session& s = session();
  if (s.reserved.empty()) {
    constexpr uint32_t kBatch = 64;
    s.reserved.resize(kBatch);
    tbk_status_t status = tbk_ref_reserve(s.endpoint, kBatch, s.reserved.data());
    if (status != TBK_OK) {
      s.reserved.clear();
      raise_status(status, "the call cannot be submitted");
      return 0;
    }
  }
  tbk_ref_t ref = s.reserved.back();
  s.reserved.pop_back();
  return ref;
}

PyObject* session_value(const tbk_value_t& value) {
  Decoder decoder(value);
  PyObject* result = decoder.value();
  if (result == nullptr || (value.flags & TBK_VALUE_ERROR) == 0) return result;
  Owned error(result);
  if (!PyExceptionInstance_Check(result)) {
    return raise_code("PROTOCOL_ERROR", "an error reply holds a %s", Py_TYPE(result)->tp_name);
  }
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(result)), result);
  return nullptr;
}

PyObject* read_ref(tbk_ref_t ref) {
  tbk_value_t value;
  tbk_status_t status = tbk_ref_read(session().endpoint, ref, &value);
  return status == TBK_OK ? session_value(value) : raise_status(status, "the value cannot be read");
}

static int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Calls `wait(remaining_ns)` without the GIL until it is not interrupted any more; the threads of
/// an actor are not interrupted by signals, but look for their cancellation as often.
template <typename Wait>
static int wait_interruptibly(int64_t timeout_ns, const char* what, Wait wait) {
  int64_t deadline = timeout_ns < 0 ? INT64_MAX : now_ns() + timeout_ns;
  for (;;) {
    int64_t remaining = deadline == INT64_MAX ? -1 : deadline - now_ns();
    if (deadline != INT64_MAX && remaining < 0) remaining = 0;
    tbk_status_t status;
    {
      Unlocked unlocked;
      status = wait(remaining);
    }
    if (status == TBK_OK || status == TBK_TIMEOUT) return status;
    if (status != TBK_INTERRUPTED) {
      raise_status(status, what);
      return -1;
    }
    if (PyErr_CheckSignals() < 0 || !check_cancelled()) return -1;
  }
}

int wait_refs(const tbk_ref_t* refs, uint32_t count, uint32_t want, int64_t timeout_ns,
              uint8_t* ready) {
  tbk_endpoint_t* endpoint = session().endpoint;
  return wait_interruptibly(timeout_ns, "the wait failed", [=](int64_t remaining) {
    return tbk_wait(endpoint, refs, count, want, remaining, ready);
  });
}

int wait_room(tbk_target_t target, int64_t timeout_ns) {
  tbk_endpoint_t* endpoint = session().endpoint;
  return wait_interruptibly(timeout_ns, "the wait for room failed", [=](int64_t remaining) {
    tbk_status_t status = tbk_target_room(endpoint, target, remaining);
    return status == TBK_WOULD_BLOCK ? TBK_TIMEOUT : status;
  });
}

bool parse_timeout(PyObject* timeout, int64_t* out_ns) {
  *out_ns = -1;
  if (timeout == nullptr || timeout == Py_None) return true;
  double seconds = PyFloat_AsDouble(timeout);
  if (seconds == -1.0 && PyErr_Occurred() != nullptr) return false;
  if (std::isnan(seconds) || seconds < 0) {
    raise_code("INVALID_ARGUMENT", "timeout is %R: it must be None or seconds, not negative",
               timeout);
    return false;
  }
  *out_ns = seconds > 9e9 ? -1 : static_cast<int64_t>(seconds * 1e9);
  return true;
}

// ---- sending
// -------------------------------------------------------------------------------------------------------

bool Payload::fill(Encoder& encoder, uint32_t flags) {
  const Session& s = session();
  payload_.refs = encoder.refs().data();
  payload_.ref_count = static_cast<uint32_t>(encoder.refs().size());
  payload_.flags = flags;
  payload_.size = encoder.blob_size();
  if (!encoder.framed()) {
    payload_.data = encoder.head();
    return true;
  }
  if (payload_.size <= s.inline_bytes_max) {
    heap_ = static_cast<uint8_t*>(PyMem_RawMalloc(payload_.size));
    if (heap_ == nullptr) return PyErr_NoMemory() != nullptr;
    encoder.write_blob(heap_);
    payload_.data = heap_;
    return true;
  }
  tbk_endpoint_t* endpoint = s.endpoint;
  generation_ = s.generation;
  constexpr uint64_t kLarge = 256 << 10;  // worth letting other threads run meanwhile
  bool stored;
  if (payload_.size < kLarge) {
    stored = store_blob(endpoint, encoder);
  } else {
    Unlocked unlocked;
    stored = store_blob(endpoint, encoder);
  }
  if (require_generation(generation_) == nullptr) return false;
  if (!stored) raise_status(store_status_, "the value cannot be stored");
  return stored;
}

/// Runs with or without the GIL.
bool Payload::store_blob(tbk_endpoint_t* endpoint, const Encoder& encoder) {
  tbk_buffer_t buffer{};
  store_status_ = tbk_buffer_create(endpoint, payload_.size, &buffer);
  if (store_status_ != TBK_OK) return false;
  payload_.buffer_token = buffer.token;
  encoder.write_blob(buffer.data);
  return true;
}

Payload::~Payload() {
  PyMem_RawFree(heap_);
  if (payload_.buffer_token != 0 && session().generation == generation_) {
    (void)tbk_buffer_discard(session().endpoint, payload_.buffer_token);
  }
}

/// Whether this thread runs an event loop, which a wait would stop.
static bool is_in_event_loop() {
  static PyObject* name = PyUnicode_InternFromString("asyncio");
  Owned asyncio(PyImport_GetModule(name));
  Owned loop(asyncio ? PyObject_CallMethod(asyncio.get(), "_get_running_loop", nullptr) : nullptr);
  PyErr_Clear();
  return loop && loop.get() != Py_None;
}

bool submit_call(const tbk_call_t& call, WhenFull when_full) {
  uint32_t accepted = 0;
  Session& s = session();
  uint32_t generation = s.generation;
  for (;;) {
    tbk_status_t status = tbk_submit(s.endpoint, &call, 1, &accepted);
    if (status == TBK_OK) return true;
    if (status != TBK_BACK_PRESSURE) {
      raise_status(status, "the call cannot be submitted");
      return false;
    }
    bool in_loop = when_full == WhenFull::kDefault && is_in_event_loop();
    if (in_loop || when_full == WhenFull::kRefuse) {
      raise_code("BACK_PRESSURE", "%s%s", tbk_last_error(),
                 in_loop ? "; in an event loop: await thornback.room(handle)" : "");
      return false;
    }
    if (wait_room(call.target, -1) < 0 || require_generation(generation) == nullptr) return false;
  }
}

}  // namespace thornback::python
