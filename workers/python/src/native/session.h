// The one session of this process. Handles remember the generation they were made in: after a
// shutdown they neither use nor release numbers that mean nothing any more. Guarded by the GIL,
// except where a call says that it releases it.
#pragma once

#include <vector>

#include "encoder.h"
#include "py.h"
#include "thornback.h"

namespace thornback::python {

struct Session {
  tbk_endpoint_t* endpoint = nullptr;
  uint32_t generation = 0;  // counts attaching and detaching: odd while attached
  uint32_t role = TBK_ROLE_DRIVER;
  uint32_t endpoint_id = 0;
  uint32_t inline_bytes_max = 0;
  std::vector<tbk_ref_t> reserved;  // result refs taken from the endpoint ahead of use
  uint32_t blocking = 0;            // threads inside a blocking call, without the GIL
  bool has_coroutines = false;      // an event loop serves calls
};

Session& session();

/// Releases the GIL for a blocking call.
class Unlocked {
 public:
  Unlocked() {
    session().blocking += 1;
    state_ = PyEval_SaveThread();
  }
  ~Unlocked() {
    PyEval_RestoreThread(state_);
    session().blocking -= 1;
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* state_;
};

/// The endpoint; null with NotInitialisedError or SessionClosedError when there is none.
tbk_endpoint_t* require_endpoint();
/// The same for a handle of `generation`.
tbk_endpoint_t* require_generation(uint32_t generation);

bool session_started(tbk_endpoint_t* endpoint, uint32_t role);
/// Detaches without the GIL. Threads that wait get SessionClosedError.
void session_end();

/// Forgets the session without a word to it: in the child of a fork, whose threads and rings belong
/// to the parent.
void session_abandon();

/// A count on a fresh result ref, or 0 with an exception.
tbk_ref_t take_result();

/// The Python value; an error value is raised instead.
PyObject* session_value(const tbk_value_t& value);
/// Reads a ref that is ready.
PyObject* read_ref(tbk_ref_t ref);

/// Blocks without the GIL until `want` refs are ready; runs signal handlers meanwhile. -1 with an
/// exception, otherwise TBK_OK or TBK_TIMEOUT.
int wait_refs(const tbk_ref_t* refs, uint32_t count, uint32_t want, int64_t timeout_ns,
              uint8_t* ready);

/// A Python timeout, None or seconds, as nanoseconds (-1 without limit). False with an exception.
bool parse_timeout(PyObject* timeout, int64_t* out_ns);

/// Makes the payload of an encoding: inline bytes, or a buffer in the store that holds the blob.
class Payload {
 public:
  /// Large copies run without the GIL. False with an exception.
  bool fill(Encoder& encoder, uint32_t flags = 0);
  ~Payload();
  Payload() = default;
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;
  const tbk_payload_t& get() const { return payload_; }
  /// The engine took the buffer.
  void taken() { payload_.buffer_token = 0; }

 private:
  bool store_blob(tbk_endpoint_t* endpoint, const Encoder& encoder);

  tbk_payload_t payload_{};
  tbk_status_t store_status_ = TBK_OK;
  uint32_t generation_ = 0;
  uint8_t* heap_ = nullptr;
};

/// What a call does at a target that takes no more.
enum class WhenFull : uint8_t {
  kDefault,  // refuse inside a running event loop, wait elsewhere
  kWait,
  kRefuse
};
/// Submits one call; waits without the GIL, or raises BackPressureError, while its target is full.
/// False with an exception.
bool submit_call(const tbk_call_t& call, WhenFull when_full);
/// Blocks without the GIL until the target takes calls; runs signal handlers meanwhile. -1 with an
/// exception, otherwise TBK_OK or TBK_TIMEOUT.
int wait_room(tbk_target_t target, int64_t timeout_ns);

}  // namespace thornback::python
