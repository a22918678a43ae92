// What the hub knows about one connection to its socket, and the endpoint behind it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/unique_fd.h"
#include "node/control_link.h"
#include "node/peer.h"
#include "shm/memory_file.h"

namespace thornback::node {

enum class Stage {
  kConnected,  // has not said hello
  kJoined,     // has an id; nobody can reach it
  kPublished,  // can be reached
  kDying,      // its death is known, its cause is being found out
  kDead,  // announced; kept for as long as its arena is held or its process may hold others' arenas
};

// Owned by the ClientTable, used by the hub's thread only.
struct HubClient {
  HubClient(uint64_t serial_number, UniqueFd socket, UniqueFd process, LinkLoop loop)
      : serial(serial_number), pid_fd(std::move(process)), link(std::move(socket), loop) {}

  const uint64_t serial;  // never used twice, unlike ids and descriptors
  Stage stage = Stage::kConnected;
  PeerInfo info;
  UniqueFd pid_fd;
  ControlLink link;

  UniqueFd record, arena, poll, keeper;
  shm::Mapping record_view;
  bool is_watched = false;  // the death watcher reads the liveness word in record_view

  std::unordered_map<uint32_t, uint32_t> peers;  // connected endpoints and this endpoint's side
  std::unordered_set<uint32_t> holders;          // who may map this endpoint's arena
  std::unordered_set<uint32_t> holds;            // whose arenas this endpoint may map

  uint64_t cause_deadline_ns = 0;  // kDying: the death is announced at this time at the latest
  std::string fallback_cause;      // kDying: what is announced when the kernel tells nothing
  bool is_process_gone = false;  // nothing of this endpoint's process runs any more, or it detached
};

}  // namespace thornback::node
