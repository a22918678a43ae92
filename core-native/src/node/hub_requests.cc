#include "node/hub_requests.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "shm/endpoint_record.h"
#include "shm/memory_file.h"

namespace thornback::node {
namespace {

// Peers write to these on every wake-up: they must be what they are said to be, and never block.
bool is_event_fd(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) == 0) return false;
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  char name[64] = {};
  const ssize_t size = readlink(link.c_str(), name, sizeof(name) - 1);
  return size > 0 && std::string(name, static_cast<size_t>(size)) == "anon_inode:[eventfd]";
}

std::array<int, 5> descriptors_with(const HubClient& peer, int channel) {
  return {peer.record.get(), peer.arena.get(), peer.poll.get(), peer.keeper.get(), channel};
}

std::string id_text(uint32_t endpoint_id) {
  return "endpoint " + std::to_string(endpoint_id);
}

}  // namespace

Status HubRequests::handle(HubClient& client, Received received) {
  const ControlMessage& message = received.message;
  if (received.has_lost_descriptors) {
    on_lost_descriptors(client, message);
    return Status::ok();
  }
  if (message.kind == MessageKind::kHello) return on_hello(client, message);
  if (message.kind == MessageKind::kPublish) return on_publish(client, std::move(received));
  if (message.kind == MessageKind::kDetach) {
    deaths_.on_detach(client);
    return Status::ok();
  }
  if (client.stage != Stage::kPublished)
    return Status(TBK_PROTOCOL, "a request before it published its record");
  switch (message.kind) {
    case MessageKind::kArmed: return on_armed(client, message);
    case MessageKind::kConnect: on_connect(client, message, received.descriptors[0]); break;
    case MessageKind::kOpenArena: on_open_arena(client, message); break;
    case MessageKind::kArenaUnmapped: clients_.drop_hold(client, message.endpoint_id); break;
    default: return Status(TBK_PROTOCOL, "a message that only the node sends");
  }
  return Status::ok();
}

Status HubRequests::on_hello(HubClient& client, const ControlMessage& message) {
  if (client.stage != Stage::kConnected) return Status(TBK_PROTOCOL, "a second hello");
  if (message.role > TBK_ROLE_WORKER) return Status(TBK_PROTOCOL, "an unknown role");
  client.info.role = message.role;
  client.info.language = text_of(message.language);
  client.info.token = text_of(message.token);
  const bool had_agent = clients_.has_agent();
  if (!clients_.assign_id(client)) {
    const bool is_agent = message.role == TBK_ROLE_AGENT;
    refuse(client, TBK_CLOSED,
           is_agent     ? "the node has its agent already"
           : !had_agent ? "the node is still starting: its agent has not attached yet"
                        : "the node is full: " + std::to_string(shm::kEndpointsMax) + " endpoints");
    return Status::ok();
  }
  clients_.set_stage(client, Stage::kJoined);
  ControlMessage welcome(MessageKind::kWelcome);
  welcome.endpoint_id = client.info.endpoint_id;
  welcome.store_bytes_max = limits_.store_bytes_max;
  welcome.arena_bytes_max = limits_.arena_bytes_max;
  client.link.send(welcome, {&board_, 1});
  return Status::ok();
}

Status HubRequests::on_publish(HubClient& client, Received received) {
  if (client.stage != Stage::kJoined)
    return Status(TBK_PROTOCOL, "a record without a hello, or a second one");
  auto& fds = received.descriptors;
  for (size_t i = 0; i < 2; ++i) {
    Result<uint64_t> size = shm::sealed_file_size(fds[i].get());
    if (!size.is_ok())
      return Status(TBK_PROTOCOL, (i == 0 ? "its record: " : "its arena: ") + size.status().text());
  }
  if (!is_event_fd(fds[2].get()) || !is_event_fd(fds[3].get())) {
    return Status(TBK_PROTOCOL, "a wake-up descriptor that is not a non-blocking eventfd");
  }
  // Read-only: the hub looks at the liveness word and nothing else.
  auto view = shm::Mapping::map(fds[0].get(), 0, shm::kEndpointRecordBytes, shm::Access::kReadOnly);
  if (!view.is_ok()) return Status(TBK_PROTOCOL, "its record: " + view.status().text());
  client.record_view = view.take();
  client.record = std::move(fds[0]);
  client.arena = std::move(fds[1]);
  client.poll = std::move(fds[2]);
  client.keeper = std::move(fds[3]);
  clients_.set_stage(client, Stage::kPublished);
  client.link.send(ControlMessage(MessageKind::kPublished));
  announce(client);
  return Status::ok();
}

// Tells the agent who can be reached. Endpoints may publish
// before the agent does: they are announced when it has.
void HubRequests::announce(HubClient& client) {
  HubClient* agent = clients_.by_id(kAgentId);
  if (agent == nullptr || agent->stage != Stage::kPublished) return;
  if (agent == &client) {
    clients_.for_each([&](HubClient& other) {
      if (&other != agent && other.stage == Stage::kPublished) announce(other);
    });
    return;
  }
  ControlMessage joined(MessageKind::kPeerJoined);
  joined.endpoint_id = client.info.endpoint_id;
  joined.role = client.info.role;
  joined.number = static_cast<uint32_t>(client.info.pid);
  set_text(joined.language, client.info.language);
  set_text(joined.token, client.info.token);
  agent->link.send(joined);
}

Status HubRequests::on_armed(HubClient& client, const ControlMessage& message) {
  if (client.is_watched) return Status(TBK_PROTOCOL, "a second keeper");
  client.is_watched = true;
  const auto* record = reinterpret_cast<const shm::EndpointRecord*>(client.record_view.data());
  watcher_.add(client.serial, &record->liveness.futex, message.number);
  return Status::ok();
}

void HubRequests::on_connect(HubClient& client, const ControlMessage& message,
                             const UniqueFd& channel) {
  HubClient* peer = find_published(client, message);
  if (peer == nullptr) return;
  const uint32_t own_id = client.info.endpoint_id;
  const uint32_t peer_id = peer->info.endpoint_id;
  if (peer == &client) {
    answer_failure(client, message, TBK_INVALID, id_text(own_id) + " cannot connect to itself");
    return;
  }
  if (const auto known = client.peers.find(peer_id); known != client.peers.end()) {
    // The peer was faster, or the caller asks again: the
    // endpoint still has the channel of that time.
    ControlMessage answer(MessageKind::kExisting);
    answer.request = message.request;
    answer.endpoint_id = peer_id;
    answer.side = known->second;
    const auto descriptors = descriptors_with(*peer, -1);
    client.link.send(answer, std::span(descriptors).first(4));
    return;
  }
  if (Result<uint64_t> size = shm::sealed_file_size(channel.get()); !size.is_ok()) {
    answer_failure(client, message, TBK_INVALID, "the proposed channel: " + size.status().text());
    return;
  }
  client.peers[peer_id] = 0;
  peer->peers[own_id] = 1;
  clients_.add_hold(client, *peer);
  clients_.add_hold(*peer, client);
  ControlMessage notice(MessageKind::kConnected);
  notice.endpoint_id = own_id;
  notice.side = 1;
  peer->link.send(notice, descriptors_with(client, channel.get()));
  ControlMessage answer(MessageKind::kConnection);
  answer.request = message.request;
  answer.endpoint_id = peer_id;
  client.link.send(answer, descriptors_with(*peer, channel.get()));
}

void HubRequests::on_open_arena(HubClient& client, const ControlMessage& message) {
  HubClient* owner = clients_.by_id(message.endpoint_id);
  if (owner == nullptr || !owner->arena.is_valid()) {
    const bool was_there = clients_.was_assigned(message.endpoint_id);
    answer_failure(client, message, was_there ? TBK_PEER_DEAD : TBK_NOT_FOUND,
                   "the arena of " + id_text(message.endpoint_id) +
                       (was_there ? " is gone" : " is not known"));
    return;
  }
  if (owner != &client) clients_.add_hold(client, *owner);
  ControlMessage answer(MessageKind::kArena);
  answer.request = message.request;
  answer.endpoint_id = message.endpoint_id;
  const int arena = owner->arena.get();
  client.link.send(answer, {&arena, 1});
}

HubClient* HubRequests::find_published(HubClient& client, const ControlMessage& message) {
  HubClient* peer = clients_.by_id(message.endpoint_id);
  if (peer != nullptr && peer->stage == Stage::kPublished) return peer;
  const bool is_dead =
      peer != nullptr ? peer->stage != Stage::kJoined : clients_.was_assigned(message.endpoint_id);
  answer_failure(client, message, is_dead ? TBK_PEER_DEAD : TBK_NOT_FOUND,
                 id_text(message.endpoint_id) + (is_dead ? " is dead" : " is not there"));
  return nullptr;
}

void HubRequests::refuse_version(HubClient& client, const std::string& version) {
  refuse(client, TBK_VERSION_MISMATCH,
         "this process runs " + version + ", the node runs " +
             describe_version(kBuildVersion, TBK_ABI_VERSION));
}

void HubRequests::on_lost_descriptors(HubClient& client, const ControlMessage& message) {
  const std::string text = std::string("the node is ") + kOutOfDescriptors;
  if (client.stage == Stage::kPublished) {
    answer_failure(client, message, TBK_NO_MEMORY, text);
  } else {
    refuse(client, TBK_NO_MEMORY, text);
  }
}

void HubRequests::refuse(HubClient& client, tbk_status_t code, const std::string& text) {
  ControlMessage answer(MessageKind::kRefused);
  answer.status = code;
  set_text(answer.text, text);
  client.link.send(answer);
  client.link.close();
  clients_.forget(client);
}

void HubRequests::answer_failure(HubClient& client, const ControlMessage& request,
                                 tbk_status_t code, const std::string& text) {
  ControlMessage answer(MessageKind::kFailed);
  answer.request = request.request;
  answer.endpoint_id = request.endpoint_id;
  answer.status = code;
  set_text(answer.text, text);
  client.link.send(answer);
}

}  // namespace thornback::node
