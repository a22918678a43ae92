#include "node/client_table.h"

namespace thornback::node {

HubClient& ClientTable::add(std::unique_ptr<HubClient> client) {
  HubClient& added = *client;
  clients_.emplace(added.serial, std::move(client));
  return added;
}

HubClient* ClientTable::by_serial(uint64_t serial) {
  const auto found = clients_.find(serial);
  return found == clients_.end() ? nullptr : found->second.get();
}

void ClientTable::for_each(const std::function<void(HubClient&)>& visit) {
  for (const auto& [serial, client] : clients_) visit(*client);
}

bool ClientTable::assign_id(HubClient& client) {
  const bool is_agent = client.info.role == TBK_ROLE_AGENT;
  // Exactly one agent, and it comes first.
  if (is_agent == has_agent()) return false;
  for (uint32_t index = is_agent ? 0 : 1; index < shm::kEndpointsMax; ++index) {
    if (holder_of_index_[index] != nullptr) continue;
    holder_of_index_[index] = &client;
    client.info.endpoint_id = make_endpoint_id(index, next_generation_[index]);
    next_generation_[index] += 1;
    if (board_.high_water.load(std::memory_order_relaxed) <= index) {
      board_.high_water.store(index + 1, std::memory_order_release);
    }
    return true;
  }
  return false;
}

HubClient* ClientTable::by_id(uint32_t endpoint_id) {
  HubClient* client = holder_of_index_[endpoint_index(endpoint_id)];
  return client != nullptr && client->info.endpoint_id == endpoint_id ? client : nullptr;
}

bool ClientTable::was_assigned(uint32_t endpoint_id) const {
  return endpoint_generation(endpoint_id) < next_generation_[endpoint_index(endpoint_id)];
}

void ClientTable::add_hold(HubClient& holder, HubClient& owner) {
  owner.holders.insert(holder.info.endpoint_id);
  holder.holds.insert(owner.info.endpoint_id);
}

void ClientTable::drop_hold(HubClient& holder, uint32_t owner_id) {
  holder.holds.erase(owner_id);
  if (HubClient* owner = by_id(owner_id)) owner->holders.erase(holder.info.endpoint_id);
}

void ClientTable::drop_holds_of(HubClient& holder) {
  while (!holder.holds.empty()) drop_hold(holder, *holder.holds.begin());
}

void ClientTable::set_stage(HubClient& client, Stage stage) {
  if (client.stage == Stage::kPublished) alive_.fetch_sub(1, std::memory_order_relaxed);
  if (stage == Stage::kPublished) alive_.fetch_add(1, std::memory_order_relaxed);
  if (stage == Stage::kDead) {
    held_.fetch_add(1, std::memory_order_relaxed);
    dead_.push_back(client.serial);
  }
  client.stage = stage;
}

void ClientTable::sweep() {
  for (const uint64_t serial : forgotten_) {
    if (HubClient* client = by_serial(serial)) {
      release_index(*client);
      clients_.erase(serial);
    }
  }
  forgotten_.clear();
  std::erase_if(dead_, [this](uint64_t serial) {
    HubClient& client = *by_serial(serial);
    if (!client.is_process_gone || !client.holders.empty()) return false;
    release_index(client);
    held_.fetch_sub(1, std::memory_order_relaxed);
    clients_.erase(serial);
    return true;
  });
}

void ClientTable::release_index(HubClient& client) {
  const uint32_t index = endpoint_index(client.info.endpoint_id);
  if (holder_of_index_[index] != &client) return;  // it never got one
  board_.activity[index].store(0, std::memory_order_relaxed);
  // SYNC: the next holder of the index learns of it by the hub's welcome, after this store.
  board_.granted[index].store(0, std::memory_order_relaxed);
  holder_of_index_[index] = nullptr;
}

}  // namespace thornback::node
