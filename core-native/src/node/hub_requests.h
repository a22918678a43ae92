// How the hub answers what endpoints ask: it gives ids, and passes descriptors between them.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "node/client_table.h"
#include "node/control_socket.h"
#include "node/death_watcher.h"
#include "node/hub_deaths.h"

namespace thornback::node {

struct HubLimits {
  uint64_t store_bytes_max = 0;
  uint64_t arena_bytes_max = 0;
};

// Used by the hub's thread only.
class HubRequests {
 public:
  HubRequests(HubLimits limits, int board, ClientTable& clients, DeathWatcher& watcher,
              HubDeaths& deaths)
      : limits_(limits), board_(board), clients_(clients), watcher_(watcher), deaths_(deaths) {}

  // An error means that no correct endpoint sends this, and why; a request that merely cannot be
  // met is answered. `received` is what the client sent; its descriptors are taken or closed.
  Status handle(HubClient& client, Received received);
  // For a client whose hello is of another version, which is described.
  void refuse_version(HubClient& client, const std::string& version);

 private:
  Status on_hello(HubClient& client, const ControlMessage& message);
  Status on_publish(HubClient& client, Received received);
  void announce(HubClient& client);
  Status on_armed(HubClient& client, const ControlMessage& message);
  void on_connect(HubClient& client, const ControlMessage& message, const UniqueFd& channel);
  void on_open_arena(HubClient& client, const ControlMessage& message);

  void on_lost_descriptors(HubClient& client, const ControlMessage& message);

  // The endpoint that `message` names, if it can be connected
  // to; otherwise the request is answered with the reason.
  HubClient* find_published(HubClient& client, const ControlMessage& message);
  void refuse(HubClient& client, tbk_status_t code, const std::string& text);
  void answer_failure(HubClient& client, const ControlMessage& request, tbk_status_t code,
                      const std::string& text);

  const HubLimits limits_;
  const int board_;
  ClientTable& clients_;
  DeathWatcher& watcher_;
  HubDeaths& deaths_;
};

}  // namespace thornback::node
