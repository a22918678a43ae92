// The keeper: the thread that stands for an endpoint in its node.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <unordered_map>

#include "base/status.h"
#include "base/unique_fd.h"
#include "node/control_socket.h"
#include "node/liveness.h"
#include "node/notice_sink.h"
#include "node/pending_requests.h"
#include "shm/endpoint_record.h"

namespace thornback::node {

// Owns the liveness word, so that its end is the endpoint's end; reads the control socket; answers
// the eventfd by which senders call it.
class Keeper {
 public:
  // The descriptors stay the caller's and outlive the keeper.
  Keeper(int socket, int keeper_fd, shm::LivenessWord& word, NoticeSink& sink,
         PendingRequests& requests);

  // Returns once the thread holds the liveness word.
  Status start();
  // Ends the thread cleanly: its end is no death.
  void stop_and_join();
  // One on_alarm() notice at that time (CLOCK_MONOTONIC),
  // instead of any asked for before. Any thread.
  void set_alarm(uint64_t time_ns);
  bool is_current_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  enum class Armed : uint32_t { kNotYet, kYes, kFailed };

  void run();
  bool arm();
  void serve();
  void on_bell();
  void on_alarm();
  void read_socket();
  void handle(Received received);
  void on_lost_descriptors(const ControlMessage& message);
  void answer_connection(Received received);
  void retain_channel(uint32_t endpoint_id, int channel);
  void lose_node(tbk_status_t code, const std::string& cause);

  const int socket_;
  const int keeper_fd_;
  UniqueFd alarm_;
  shm::LivenessWord& word_;
  NoticeSink& sink_;
  PendingRequests& requests_;
  Liveness liveness_;
  Status arm_status_;  // written before armed_
  std::atomic<Armed> armed_{Armed::kNotYet};
  std::atomic<bool> is_stopping_{false};
  bool has_node_ = true;  // keeper thread only
  // The channel of each connection, for a connect() that
  // crosses with the peer's. Keeper thread only.
  std::unordered_map<uint32_t, UniqueFd> channels_;
  std::thread thread_;
};

}  // namespace thornback::node
