// How the hub deals with the end of an endpoint: find the cause, tell who is concerned, reclaim.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "node/client_table.h"
#include "node/death_watcher.h"

namespace thornback::node {

// A death comes in two steps. The notice makes an endpoint unreachable and is announced within 2
// ms, when the kernel may still be freeing its memory. Only when the whole process is gone are its
// own holds on other arenas dropped, since until then one of its threads may run and read.
//
// Used by the hub's thread only.
class HubDeaths {
 public:
  HubDeaths(ClientTable& clients, DeathWatcher& watcher) : clients_(clients), watcher_(watcher) {}

  // Three ways to learn of the same death, whichever comes first.
  // Each does nothing for an endpoint that is already dying.
  void on_keeper_ended(HubClient& client);
  void on_socket_closed(HubClient& client);
  void on_process_gone(HubClient& client);

  // It leaves of its own accord.
  void on_detach(HubClient& client);
  // It did what no correct endpoint does: it is told so,
  // and for everyone else it is dead from now on.
  void isolate(HubClient& client, const std::string& reason);

  // Looks again for the causes that were not known yet.
  void resolve();
  bool has_unresolved() const { return !dying_.empty(); }

 private:
  // `fallback_cause` is announced if the kernel tells no better one in time.
  void begin(HubClient& client, std::string fallback_cause);
  void stop_watching(HubClient& client);
  bool try_resolve(HubClient& client, uint64_t now);
  void announce(HubClient& client, const std::string& cause);
  void forget(HubClient& client);

  ClientTable& clients_;
  DeathWatcher& watcher_;
  std::vector<uint64_t> dying_;
};

}  // namespace thornback::node
