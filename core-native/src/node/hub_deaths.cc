#include "node/hub_deaths.h"

#include "base/clock.h"
#include "node/exit_cause.h"
#include "shm/endpoint_record.h"

namespace thornback::node {
namespace {

constexpr uint64_t kCauseLimitNs = 2'000'000;
constexpr char kUnknownCause[] = "killed or exited (cause not known yet)";

// Whether the keeper let go of the liveness word: what follows is no death, even if the message
// that says so did not fit into the socket.
bool has_given_back(const HubClient& client) {
  if (!client.is_watched) return false;
  const auto* record = reinterpret_cast<const shm::EndpointRecord*>(client.record_view.data());
  return __atomic_load_n(&record->liveness.futex, __ATOMIC_ACQUIRE) == 0;
}

}  // namespace

void HubDeaths::on_keeper_ended(HubClient& client) {
  begin(client, kUnknownCause);
}

void HubDeaths::on_socket_closed(HubClient& client) {
  if (client.stage == Stage::kPublished && has_given_back(client)) {
    on_detach(client);
    return;
  }
  const std::string& failure = client.link.failure();
  begin(client, failure.empty() ? "closed its control socket" : "cut off by the node: " + failure);
}

void HubDeaths::begin(HubClient& client, std::string fallback_cause) {
  if (client.stage == Stage::kConnected || client.stage == Stage::kJoined) {
    forget(client);
    return;
  }
  if (client.stage != Stage::kPublished) return;
  clients_.set_stage(client, Stage::kDying);
  stop_watching(client);
  client.link.close();
  client.fallback_cause = std::move(fallback_cause);
  client.cause_deadline_ns = now_ns() + kCauseLimitNs;
  if (!try_resolve(client, now_ns())) dying_.push_back(client.serial);
}

void HubDeaths::on_process_gone(HubClient& client) {
  client.is_process_gone = true;
  begin(client, kUnknownCause);
  if (client.stage == Stage::kDying) {
    client.cause_deadline_ns = 0;  // whatever the kernel will ever tell, it tells now
    try_resolve(client, now_ns());
  }
  client.pid_fd.reset();
  clients_.drop_holds_of(client);
}

void HubDeaths::on_detach(HubClient& client) {
  if (client.stage != Stage::kPublished) {
    forget(client);
    return;
  }
  stop_watching(client);
  client.link.close();
  client.is_process_gone = true;  // the process may live on, but it has given everything back
  client.pid_fd.reset();
  announce(client, "detached");
  clients_.drop_holds_of(client);
}

void HubDeaths::isolate(HubClient& client, const std::string& reason) {
  ControlMessage farewell(client.stage == Stage::kConnected ? MessageKind::kRefused
                                                            : MessageKind::kShutdown);
  farewell.status = TBK_PROTOCOL;
  set_text(farewell.text, "the node has cut off this endpoint: " + reason);
  client.link.send(farewell);
  if (client.stage == Stage::kPublished) {
    stop_watching(client);
    client.link.close();
    announce(client, "cut off by the node: " + reason);
    return;
  }
  forget(client);
}

void HubDeaths::resolve() {
  const uint64_t now = now_ns();
  std::erase_if(dying_, [&](uint64_t serial) {
    HubClient* client = clients_.by_serial(serial);
    return client == nullptr || client->stage != Stage::kDying || try_resolve(*client, now);
  });
}

bool HubDeaths::try_resolve(HubClient& client, uint64_t now) {
  const std::optional<std::string> cause = find_exit_cause(client.info.pid, client.pid_fd.get());
  if (!cause.has_value() && now < client.cause_deadline_ns) return false;
  announce(client, cause.value_or(client.fallback_cause));
  return true;
}

void HubDeaths::announce(HubClient& client, const std::string& cause) {
  clients_.set_stage(client, Stage::kDead);
  ControlMessage notice(MessageKind::kPeerDead);
  notice.endpoint_id = client.info.endpoint_id;
  set_text(notice.text, cause);
  std::unordered_set<uint32_t> concerned = client.holders;
  concerned.insert(kAgentId);
  for (const auto& [peer_id, side] : client.peers) concerned.insert(peer_id);
  for (const uint32_t id : concerned) {
    HubClient* peer = clients_.by_id(id);
    if (peer == nullptr || peer == &client) continue;
    peer->peers.erase(client.info.endpoint_id);
    peer->link.send(notice);
  }
  client.peers.clear();
  // The arena stays: whoever holds a part of it may still have to open it.
  client.record_view.unmap();
  client.record.reset();
  client.poll.reset();
  client.keeper.reset();
}

void HubDeaths::stop_watching(HubClient& client) {
  if (client.is_watched) watcher_.remove(client.serial);
  client.is_watched = false;
}

void HubDeaths::forget(HubClient& client) {
  client.link.close();
  clients_.forget(client);
}

}  // namespace thornback::node
