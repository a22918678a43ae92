/* The public header as a C compiler sees it: included alone, with the strictest C. */
#include "thornback.h"

size_t tbk_layout_in_c(unsigned index) {
  const size_t facts[] = {
      sizeof(tbk_attach_options_t),
      sizeof(tbk_node_options_t),
      sizeof(tbk_info_t),
      sizeof(tbk_stats_t),
      sizeof(tbk_ref_entry_t),
      sizeof(tbk_buffer_t),
      sizeof(tbk_payload_t),
      sizeof(tbk_value_t),
      sizeof(tbk_call_t),
      sizeof(tbk_reply_t),
      sizeof(tbk_event_t),
      offsetof(tbk_attach_options_t, flags),
      offsetof(tbk_payload_t, refs),
      offsetof(tbk_value_t, hold),
      offsetof(tbk_call_t, args),
      offsetof(tbk_reply_t, value),
      offsetof(tbk_event_t, deadline_ns),
      offsetof(tbk_event_t, value),
      offsetof(tbk_stats_t, bytes_shared),
  };
  return index < sizeof facts / sizeof facts[0] ? facts[index] : 0;
}
