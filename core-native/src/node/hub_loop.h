// The hub's thread: accepts connections and turns events
// into calls of the parts that know what to do.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/status.h"
#include "base/unique_fd.h"
#include "node/client_table.h"
#include "node/death_watcher.h"
#include "node/hub_deaths.h"
#include "node/hub_requests.h"

namespace thornback::node {

class HubLoop {
 public:
  HubLoop(HubLimits limits, int board_fd, shm::NodeBoard& board, UniqueFd listener);
  ~HubLoop();

  Status prepare();
  void run();   // until stop()
  void stop();  // from any thread

  const ClientTable& clients() const { return clients_; }

 private:
  void dispatch(uint64_t tag, uint32_t events);
  void accept_clients();
  void add_client(UniqueFd socket);
  void reject_without_descriptors();
  void listen_for_clients(bool is_wanted);
  void on_socket(HubClient& client, uint32_t events);
  void receive_from(HubClient& client);
  void take_death_reports();
  void retry_stalled();
  void say_farewell();
  Status watch(int fd, uint64_t tag, uint32_t events);

  UniqueFd epoll_;
  UniqueFd bell_;   // eventfd: death reports, or the end
  UniqueFd spare_;  // given up to accept and refuse a client when descriptors run out
  UniqueFd listener_;
  bool is_listening_ = true;
  uint64_t next_serial_ = 1;
  uint32_t stalled_links_ = 0;
  std::atomic<bool> is_stopping_{false};
  std::mutex reports_mutex_;
  std::vector<uint64_t> reports_;  // guarded by reports_mutex_
  ClientTable clients_;
  // After what its threads report to, so that they end first.
  DeathWatcher watcher_;
  HubDeaths deaths_;
  HubRequests requests_;
};

}  // namespace thornback::node
