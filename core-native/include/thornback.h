/* The C ABI of Thornback's core worker: everything a language binding may call.
 *
 * Thread rule: every function may be called from any thread unless it says otherwise; the endpoint
 * serialises inside. Functions never call back into user code. Functions that can block say so; all
 * others return in bounded time. Ownership: `tbk_endpoint_t*` is owned by who attached it. A
 * `tbk_ref_t` is a counted handle: who receives one from an out parameter, a value or an event
 * releases it once with `tbk_ref_release`. Pointers inside a `tbk_value_t` are borrowed (see
 * there). Errors: functions return a `tbk_status_t`; `tbk_last_error` gives the sentence for the
 * calling thread's last failure. Growth: structs start with `size` where they may grow; new
 * operations are new frames and new calls to the node agent, not new symbols. */
#ifndef THORNBACK_H_
#define THORNBACK_H_
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TBK_ABI_VERSION 2u
#if defined(TBK_STATIC)
#define TBK_API
#else
#define TBK_API __attribute__((visibility("default")))
#endif

typedef enum tbk_status {
  TBK_OK = 0,
  TBK_WOULD_BLOCK = 1, /* nothing there yet; not an error */
  TBK_TIMEOUT = 2,     /* the time limit of a wait passed */
  TBK_INTERRUPTED =
      3, /* a signal arrived while waiting: run the language's handlers and wait again */
  TBK_BACK_PRESSURE = 4,     /* a limit of pending calls or bytes is reached: wait with
                                tbk_target_room, then submit again */
  TBK_CLOSED = 5,            /* the endpoint, the session or the stream is closed */
  TBK_END = 6,               /* the stream has ended */
  TBK_INVALID = 7,           /* a bad argument: a bug in the binding */
  TBK_NOT_FOUND = 8,         /* no such endpoint, ref, function or object */
  TBK_STORE_FULL = 9,        /* the store's capacity would be exceeded */
  TBK_NO_MEMORY = 10,        /* the operating system refused memory or a descriptor */
  TBK_VERSION_MISMATCH = 11, /* the session runs another version of Thornback */
  TBK_PROTOCOL = 12,         /* a peer wrote something no correct peer writes */
  TBK_IO = 13,               /* a system call failed; the text names it */
  TBK_PEER_DEAD = 14         /* the endpoint is no longer there */
} tbk_status_t;

typedef struct tbk_endpoint tbk_endpoint_t;
typedef uint64_t
    tbk_ref_t; /* a counted handle to a value that exists or will exist; below 2^53; 0 is none */
typedef uint64_t tbk_incoming_t; /* a call that was received and not yet replied to; below 2^53 */
typedef uint32_t tbk_target_t;   /* where calls go: an endpoint's instance, an actor, or the workers
                                    of a task shape; 0 is none */
typedef uint32_t tbk_function_t; /* an interned function name, local to the endpoint; 0 is none */

/* ---- Life cycle
 * -------------------------------------------------------------------------------------------------------------------------
 */

typedef enum tbk_role { TBK_ROLE_AGENT = 0, TBK_ROLE_DRIVER = 1, TBK_ROLE_WORKER = 2 } tbk_role_t;

/* The process ends half a second after its node is gone, whatever user code does: for worker
 * processes. */
enum { TBK_ATTACH_EXIT_WITH_NODE = 1u };
typedef struct tbk_attach_options {
  uint32_t size;           /* sizeof(tbk_attach_options_t) */
  uint32_t role;           /* tbk_role_t */
  const char* socket_path; /* the session's private socket */
  const char* token;       /* free text that the agent sees with TBK_EVENT_PEER_JOINED (at most 127
                              bytes), may be null */
  const char* language;    /* "typescript", "python", ... (at most 15 bytes) */
  int64_t spin_ns;         /* longest spin before sleeping: -1 default (50 us), 0 never spin */
  uint64_t pending_calls_max; /* refuse to submit beyond this many unfinished calls; 0 default
                                 (4,000,000) */
  uint64_t pending_bytes_max; /* the same in bytes of queued arguments; 0 default (256 MiB) */
  uint32_t flags;             /* TBK_ATTACH_... */
  int32_t cancel_signal;      /* sent to the thread that polls when a call that it was given is
                                 cancelled before it polls again; 0 none */
} tbk_attach_options_t;

typedef struct tbk_node_options {
  uint32_t size;
  uint32_t reserved;
  const char* socket_path;  /* created here, mode 0600; its folder exists and is private */
  uint64_t store_bytes_max; /* capacity of the node's store; 0 default (30 % of memory) */
  uint64_t arena_bytes_max; /* address space of one endpoint's arena; 0 default (store_bytes_max) */
} tbk_node_options_t;

/* Starts the node of a session in this process: listens on the socket, introduces endpoints to each
 * other, notices their deaths, and attaches the calling process as endpoint 0 (the agent). Blocks
 * for some milliseconds. */
TBK_API tbk_status_t tbk_node_start(const tbk_node_options_t* node,
                                    const tbk_attach_options_t* self, tbk_endpoint_t** out);
/* Attaches to a session. Blocks until the node answers (at most 10 s). TBK_VERSION_MISMATCH names
 * both versions. */
TBK_API tbk_status_t tbk_attach(const tbk_attach_options_t* options, tbk_endpoint_t** out);
/* Detaches, wakes and fails every waiter with TBK_CLOSED, and frees the endpoint; for the agent it
 * ends the node. No call may follow. Mappings of values that are still referenced stay valid until
 * the process ends. Blocks until helper threads have ended. */
TBK_API void tbk_detach(tbk_endpoint_t* endpoint);
TBK_API const char* tbk_version(void); /* "0.1.0", static */
TBK_API const char* tbk_status_name(tbk_status_t status);
TBK_API const char* tbk_last_error(
    void); /* the calling thread's last failure, valid until its next call; never null */

typedef struct tbk_info {
  uint32_t size;
  uint32_t endpoint_id;
  uint32_t cpu_count;
  uint32_t inline_bytes_max; /* payloads up to this size travel inside the frame */
  uint64_t store_bytes_max;
  uint64_t arena_bytes_max; /* the largest object that can ever be created */
} tbk_info_t;
TBK_API tbk_status_t tbk_endpoint_info(tbk_endpoint_t* endpoint, tbk_info_t* out);

typedef struct tbk_stats { /* cumulative since attach unless it says "now" */
  uint32_t size;
  uint32_t spinning_allowed; /* now */
  uint64_t frames_sent, frames_received;
  uint64_t calls_submitted, calls_completed, calls_received, calls_replied;
  uint64_t calls_pending;              /* now: submitted and not completed */
  uint64_t pending_bytes;              /* now: queued in this process */
  uint64_t wakes_sent, sleeps;         /* system calls to wake a peer; times this endpoint slept */
  uint64_t refs_live;                  /* now */
  uint64_t objects_live, object_bytes; /* now: in this endpoint's arena */
  uint64_t store_bytes_node;           /* now: granted to all arenas of the node */
  uint64_t bytes_shared; /* bytes of stored payloads handed over by reference, without a copy */
} tbk_stats_t;
TBK_API tbk_status_t tbk_endpoint_stats(tbk_endpoint_t* endpoint, tbk_stats_t* out);

/* ---- Values
 * ------------------------------------------------------------------------------------------------------------------------------
 */

enum {
  TBK_REF_RESOLVE = 1u
}; /* the ref stands for its value: resolved before the call is executed, replaced by the value on
      arrival */
typedef struct tbk_ref_entry {
  tbk_ref_t ref;
  uint32_t flags;
  uint32_t reserved;
} tbk_ref_entry_t;

/* Memory in the store under construction: `data` is writable until the buffer is used in a payload
 * (which seals it) or discarded. */
typedef struct tbk_buffer {
  uint8_t* data;
  uint64_t size;
  uint64_t token; /* 0 is none */
} tbk_buffer_t;

/* What is sent: either bytes to be copied (`data`, any size; beyond inline_bytes_max they go to the
 * store) or a buffer (`buffer_token`). */
typedef struct tbk_payload {
  const uint8_t* data;
  uint64_t size;
  uint64_t buffer_token;
  const tbk_ref_entry_t* refs; /* the ref table of the blob; borrowed for the duration of the call,
                                  counts are not taken over */
  uint32_t ref_count;
  uint32_t flags; /* TBK_VALUE_ERROR */
} tbk_payload_t;

enum {
  TBK_VALUE_ERROR = 1u, /* the blob is an error value */
  TBK_VALUE_STORED = 2u /* the bytes lie in the store (64-byte aligned, read-only, shared);
                           otherwise in private memory (8-byte aligned) */
};
/* What is received. `data` and `refs` stay valid while the ref they were read from is retained, or
 * until the incoming call is replied to. Entries of `refs` are borrowed: retain what is kept. Data
 * of a stored value stays valid for as long as `hold` is retained. */
typedef struct tbk_value {
  const uint8_t* data;
  uint64_t size;
  const tbk_ref_entry_t* refs;
  uint32_t ref_count;
  uint32_t flags;
  tbk_ref_t hold; /* borrowed; for stored values the ref that pins the bytes, otherwise 0 */
} tbk_value_t;

TBK_API tbk_status_t tbk_buffer_create(tbk_endpoint_t* endpoint, uint64_t size,
                                       tbk_buffer_t* out); /* 64-byte aligned, contents undefined */
TBK_API tbk_status_t tbk_buffer_discard(tbk_endpoint_t* endpoint, uint64_t token);

/* Stores a value owned by this endpoint. */
TBK_API tbk_status_t tbk_put(tbk_endpoint_t* endpoint, const tbk_payload_t* payload,
                             tbk_ref_t* out);
/* Makes `count` refs without a value, to be used as results of submitted calls. */
TBK_API tbk_status_t tbk_ref_reserve(tbk_endpoint_t* endpoint, uint32_t count, tbk_ref_t* out);
TBK_API tbk_status_t tbk_ref_retain(tbk_endpoint_t* endpoint, tbk_ref_t ref);
TBK_API void tbk_ref_release(tbk_endpoint_t* endpoint, const tbk_ref_t* refs, uint32_t count);
/* The value if it is there (TBK_OK), TBK_WOULD_BLOCK while it is not; a borrowed ref is then asked
 * for at its owner. */
TBK_API tbk_status_t tbk_ref_read(tbk_endpoint_t* endpoint, tbk_ref_t ref, tbk_value_t* out);
/* Sixteen bytes that name the value in the whole session; equal for equal refs. */
TBK_API tbk_status_t tbk_ref_id(tbk_endpoint_t* endpoint, tbk_ref_t ref, uint8_t out[16]);
/* Blocks until `want` of the refs are ready (a value, an error, or a next item of a stream), the
 * time is over, or a signal arrives. `ready[i]` is set to 1 or 0 for each ref on every return.
 * timeout_ns < 0 waits without limit, 0 only looks. */
TBK_API tbk_status_t tbk_wait(tbk_endpoint_t* endpoint, const tbk_ref_t* refs, uint32_t count,
                              uint32_t want, int64_t timeout_ns, uint8_t* ready);
/* Asks for one TBK_EVENT_READY per ref when it becomes ready (at once if it is). */
TBK_API tbk_status_t tbk_watch(tbk_endpoint_t* endpoint, const tbk_ref_t* refs, uint32_t count);
/* Maps a stored value copy-on-write for runtimes without read-only buffers: writes stay private to
 * the mapping and harm nobody. The result starts at the value's first byte. Unmap before or after
 * releasing the ref, with the same pointer and size. */
TBK_API tbk_status_t tbk_map_private(tbk_endpoint_t* endpoint, tbk_ref_t ref, uint8_t** out_data,
                                     uint64_t* out_size);
TBK_API tbk_status_t tbk_unmap_private(uint8_t* data, uint64_t size);

/* ---- Calls
 * -------------------------------------------------------------------------------------------------------------------------------
 */

/* Names are "<language>:<module>:<name>", UTF-8, at most 4,096 bytes. The same text gives the same
 * id. */
TBK_API tbk_status_t tbk_function(tbk_endpoint_t* endpoint, const char* name, uint32_t name_size,
                                  tbk_function_t* out);
TBK_API tbk_status_t tbk_function_name(tbk_endpoint_t* endpoint, tbk_function_t function,
                                       const char** out_name, uint32_t* out_size);

/* Calls to one instance at an endpoint whose id is known (endpoint 0, instance 0 is the node
 * agent). */
TBK_API tbk_status_t tbk_target_endpoint(tbk_endpoint_t* endpoint, uint32_t endpoint_id,
                                         uint32_t instance, tbk_target_t* out);
/* Calls to an actor whose address is, or will be, the value of `address`: a MessagePack array
 * [endpoint id, instance]. Calls wait for it in order; if it is an error, they fail with it. Takes
 * a count of its own. With `id` (16 bytes, null for none) the actor may be restarted: when its
 * endpoint dies, its new address is asked for at the agent, and calls that were not sent yet go
 * there. */
TBK_API tbk_status_t tbk_target_actor(tbk_endpoint_t* endpoint, tbk_ref_t address,
                                      const uint8_t* id, tbk_target_t* out);
/* Calls to whichever worker the agent leases for this shape (an opaque MessagePack value that the
 * agent's `lease` understands). */
TBK_API tbk_status_t tbk_target_tasks(tbk_endpoint_t* endpoint, const uint8_t* shape,
                                      uint32_t shape_size, tbk_target_t* out);
/* Queued calls are still delivered. */
TBK_API void tbk_target_release(tbk_endpoint_t* endpoint, tbk_target_t target);

/* Limits what is submitted to a target and not answered: calls, and bytes of arguments (those that
 * refs stand for included). 0 leaves a limit as it is; by default 100,000 calls and 16 MiB for an
 * actor or endpoint, 1,000,000 calls and 256 MiB for tasks. One call always passes. */
TBK_API tbk_status_t tbk_target_limit(tbk_endpoint_t* endpoint, tbk_target_t target,
                                      uint64_t calls_max, uint64_t bytes_max);
/* TBK_OK when the target takes another call. Otherwise blocks up to timeout_ns (< 0 without limit)
 * until it does; with timeout_ns 0 returns TBK_WOULD_BLOCK, and one TBK_EVENT_ROOM follows when
 * half of the limit is free again, or the target is dead. */
TBK_API tbk_status_t tbk_target_room(tbk_endpoint_t* endpoint, tbk_target_t target,
                                     int64_t timeout_ns);
typedef struct tbk_target_stats {
  uint32_t size;
  uint32_t reserved;
  uint64_t calls_pending, bytes_pending; /* now */
  uint64_t calls_max, bytes_max;
  uint64_t refused;      /* submissions that met the limit */
  uint64_t throttled_ns; /* time without room, since the target was made */
} tbk_target_stats_t;
TBK_API tbk_status_t tbk_target_stats(tbk_endpoint_t* endpoint, tbk_target_t target,
                                      tbk_target_stats_t* out);

enum {
  TBK_OPTION_UNORDERED = 1u,   /* to an actor: a call whose arguments are there overtakes those that
                                  wait for theirs */
  TBK_OPTION_RETRY_ERRORS = 2u /* an exception of the called code is a reason to try again */
};
/* How calls behave that name it: made once, used for many. */
typedef struct tbk_call_options {
  uint32_t size;
  uint32_t flags;          /* TBK_OPTION_... */
  int32_t priority;        /* tasks that wait for a worker start in order of this, higher first */
  uint32_t retries;        /* how often the call is sent again after its worker or actor has died:
                              it may then be executed more than once. 0: at most once */
  uint64_t retry_delay_ns; /* before the first retry; twice as long before each further one, at most
                              64 times, and up to a quarter less by chance */
  const char* retry_on;    /* with RETRY_ERRORS: names of exception classes, separated by newlines;
                              empty for all */
  uint32_t retry_on_size;
  uint32_t group_size;
  const char*
      group; /* concurrency group at the actor, at most 127 bytes; empty: the method's own */
} tbk_call_options_t;
/* The number of these options, the same for equal ones. At most 65,535 different ones. */
TBK_API tbk_status_t tbk_call_option(tbk_endpoint_t* endpoint, const tbk_call_options_t* options,
                                     uint32_t* out);

enum {
  TBK_CALL_WATCH = 1u, /* deliver TBK_EVENT_READY for the result */
  TBK_CALL_STREAM = 2u /* the result is a stream: read it with tbk_stream_next */
};
typedef struct tbk_call {
  tbk_ref_t result; /* from tbk_ref_reserve (its count stays with the caller), or 0: nobody wants
                       the result */
  tbk_target_t target;
  tbk_function_t function;
  uint32_t flags;
  uint32_t options;      /* from tbk_call_option; 0 none */
  tbk_incoming_t parent; /* the call inside which this one is made, 0 none: its deadline holds here
                            as well, and its recursive cancellation cancels this call */
  uint64_t timeout_ns;   /* 0 none: travels with the call as its deadline */
  tbk_payload_t args;
} tbk_call_t;
/* Submits calls in order; each target executes them in that order. `accepted` tells how many were
 * taken; the status belongs to the first that was not (TBK_BACK_PRESSURE, TBK_STORE_FULL,
 * TBK_INVALID, TBK_CLOSED). Failures after acceptance are the result's error. */
TBK_API tbk_status_t tbk_submit(tbk_endpoint_t* endpoint, const tbk_call_t* calls, uint32_t count,
                                uint32_t* accepted);
enum {
  TBK_CANCEL_RECURSIVE = 1u, /* the calls made inside it as well */
  TBK_CANCEL_FORCE = 2u      /* a task that still runs after 100 ms is ended with its worker */
};
/* Asks to cancel: a queued call is removed and its result becomes the error CANCELLED, a running
 * one is told by TBK_EVENT_CANCEL and is not retried. Closes a stream. */
TBK_API tbk_status_t tbk_cancel(tbk_endpoint_t* endpoint, tbk_ref_t result, uint32_t flags);
/* The next item of a stream: TBK_OK with a new ref (ready), TBK_WOULD_BLOCK, TBK_END, or TBK_OK
 * with a ref that holds an error (then the end). */
TBK_API tbk_status_t tbk_stream_next(tbk_endpoint_t* endpoint, tbk_ref_t stream,
                                     tbk_ref_t* out_item);

/* ---- Serving
 * -----------------------------------------------------------------------------------------------------------------------------
 */

/* Concurrency groups of an instance: how many of its calls are delivered and not yet replied to.
 * Calls beyond that wait in their group, in order. Without groups calls are delivered as they
 * arrive. */
typedef struct tbk_group {
  const char* name; /* at most 127 bytes; the first group is that of methods without one */
  uint32_t name_size;
  uint32_t limit; /* at least 1 */
} tbk_group_t;
typedef struct tbk_method_group {
  tbk_function_t function;
  uint32_t group; /* index in the list of groups */
} tbk_method_group_t;
/* Before the first call to the instance arrives. With no groups the instance is forgotten. */
TBK_API tbk_status_t tbk_instance_groups(tbk_endpoint_t* endpoint, uint32_t instance,
                                         const tbk_group_t* groups, uint32_t group_count,
                                         const tbk_method_group_t* methods, uint32_t method_count);

enum {
  TBK_REPLY_ITEM = 1u, /* an item of a stream; the final reply (without it) ends the stream and its
                          payload is ignored unless it is an error */
};
typedef struct tbk_reply_data {
  tbk_incoming_t call;
  uint32_t flags;
  uint32_t reserved;
  tbk_payload_t value;
} tbk_reply_t;
/* Replies in order, publishes once. After the final reply the incoming call and its value are gone.
 * TBK_WOULD_BLOCK for an item without credit: wait for TBK_EVENT_CREDIT of that call (or
 * tbk_stream_credit). TBK_CLOSED for an item whose consumer closed the stream. */
TBK_API tbk_status_t tbk_reply(tbk_endpoint_t* endpoint, const tbk_reply_t* replies, uint32_t count,
                               uint32_t* accepted);
/* TBK_OK while the result of an incoming call is wanted, TBK_CLOSED after it was cancelled,
 * TBK_NOT_FOUND after the final reply. For code that runs for long without polling: it takes in
 * what has arrived first. */
TBK_API tbk_status_t tbk_call_state(tbk_endpoint_t* endpoint, tbk_incoming_t call);
/* Blocks until the stream of this call has credit. TBK_CLOSED when the consumer closed it or is
 * gone. */
TBK_API tbk_status_t tbk_stream_credit(tbk_endpoint_t* endpoint, tbk_incoming_t call,
                                       int64_t timeout_ns);

typedef enum tbk_event_kind {
  TBK_EVENT_READY = 1,  /* ref (borrowed), value (if it is not a stream): a watched ref is ready */
  TBK_EVENT_CALL = 2,   /* call, function, instance, caller, deadline, value = arguments: to be
                           executed and replied to */
  TBK_EVENT_CANCEL = 3, /* call: the caller wants no result any more; reply nevertheless */
  TBK_EVENT_CREDIT = 4, /* call: the stream has credit again */
  TBK_EVENT_PEER_JOINED = 5, /* agent only: peer id in `caller`, process id in `function`,
                                value.data = "role language token" */
  TBK_EVENT_PEER_LEFT = 6,   /* agent only: peer id in `caller`, value.data = text of the cause */
  TBK_EVENT_SHUTDOWN = 7,    /* the session ends or the node is gone: finish */
  TBK_EVENT_ROOM = 8         /* target in `instance`: it takes calls again */
} tbk_event_kind_t;

enum { TBK_EVENT_STREAM_CALL = 1u }; /* of TBK_EVENT_CALL: the caller expects a stream */
typedef struct tbk_event {
  uint32_t kind;
  uint32_t flags;
  tbk_ref_t ref;
  tbk_incoming_t call;
  tbk_function_t function;
  uint32_t instance;
  uint32_t caller;      /* endpoint id */
  uint32_t group;       /* of TBK_EVENT_CALL: index of the concurrency group */
  uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0 none */
  tbk_value_t value;
} tbk_event_t;
/* Takes up to `max` events. Blocks up to timeout_ns (< 0 without limit) when there are none and the
 * wait is asked for. Events of the same kind arrive in order. Only one thread should poll. */
TBK_API tbk_status_t tbk_poll(tbk_endpoint_t* endpoint, tbk_event_t* events, uint32_t max,
                              int64_t timeout_ns, uint32_t* count);
/* For event loops: a descriptor that is readable after tbk_poll_arm returned TBK_OK and something
 * arrived. */
TBK_API int tbk_poll_fd(tbk_endpoint_t* endpoint);
/* Call before the loop sleeps. TBK_OK: armed, sleep on the descriptor. TBK_WOULD_BLOCK: events are
 * there, poll instead. */
TBK_API tbk_status_t tbk_poll_arm(tbk_endpoint_t* endpoint);
/* Spins for a while if that is worth it now (calls outstanding, peer awake on another CPU, enough
 * CPUs). TBK_OK: something arrived. */
TBK_API tbk_status_t tbk_poll_spin(tbk_endpoint_t* endpoint);
/* Makes the current or next blocking call of the polling thread return TBK_INTERRUPTED.
 * Async-signal-safe. */
TBK_API void tbk_wake(tbk_endpoint_t* endpoint);

#ifdef __cplusplus
}
#endif
#endif /* THORNBACK_H_ */
