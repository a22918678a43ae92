// The hub's clients, the indexes of the board, and who holds whose arena.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "node/endpoint_id.h"
#include "node/hub_client.h"
#include "shm/node_board.h"

namespace thornback::node {

// Used by the hub's thread only, except for the counters. Clients are destroyed in sweep(), never
// while a caller may hold a reference.
class ClientTable {
 public:
  explicit ClientTable(shm::NodeBoard& board) : board_(board) {}

  HubClient& add(std::unique_ptr<HubClient> client);
  HubClient* by_serial(uint64_t serial);
  void for_each(const std::function<void(HubClient&)>& visit);
  size_t size() const { return clients_.size(); }

  // Gives the client an id: 0 to the agent if it is the first to ask, then the lowest free index.
  // False when all are taken, or when the agent has to come first.
  bool assign_id(HubClient& client);
  bool has_agent() const { return next_generation_[0] != 0; }
  // The client that has this id, dead or alive; nullptr if there is none or not any more.
  HubClient* by_id(uint32_t endpoint_id);
  // Whether an endpoint of this id has been there.
  bool was_assigned(uint32_t endpoint_id) const;

  void add_hold(HubClient& holder, HubClient& owner);
  void drop_hold(HubClient& holder, uint32_t owner_id);
  void drop_holds_of(HubClient& holder);

  // Has to be called for every change of a stage, before anything else happens to the client.
  void set_stage(HubClient& client, Stage stage);
  // Marks a client that never published: sweep() forgets it.
  void forget(HubClient& client) { forgotten_.push_back(client.serial); }
  // Destroys the forgotten, and the dead that hold nothing and that nobody holds: their bytes in
  // the store's accounts and their index become free.
  void sweep();

  uint32_t alive_count() const { return alive_.load(std::memory_order_relaxed); }
  uint32_t held_count() const { return held_.load(std::memory_order_relaxed); }

 private:
  void release_index(HubClient& client);

  shm::NodeBoard& board_;
  std::unordered_map<uint64_t, std::unique_ptr<HubClient>> clients_;
  HubClient* holder_of_index_[shm::kEndpointsMax] = {};
  // The generation of the next holder; 0 for an index that was never given.
  uint32_t next_generation_[shm::kEndpointsMax] = {};
  std::vector<uint64_t> forgotten_;
  std::vector<uint64_t> dead_;
  std::atomic<uint32_t> alive_{0};
  std::atomic<uint32_t> held_{0};
};

}  // namespace thornback::node
