// A whole session in one process: a node and several endpoints, each driven through the C ABI.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "thornback.h"

namespace thornback::testing {

// A folder of its own under the temporary directory, removed with its socket.
class PrivateFolder {
 public:
  PrivateFolder();
  ~PrivateFolder();
  const std::string& path() const { return path_; }
  std::string socket() const { return path_ + "/node.sock"; }

 private:
  std::string path_;
};

tbk_attach_options_t attach_options(const std::string& socket, uint32_t role);

// Bytes as a payload.
tbk_payload_t payload(const std::string& bytes);
// A literal outlives the payload; a string must be kept by the caller.
template <size_t Size>
tbk_payload_t payload(const char (&literal)[Size]) {
  tbk_payload_t result{};
  result.data = reinterpret_cast<const uint8_t*>(literal);
  result.size = Size - 1;
  return result;
}
tbk_payload_t payload(const std::string& bytes, const std::vector<tbk_ref_entry_t>& refs);

class Session {
 public:
  explicit Session(uint64_t store_bytes = 64 << 20);
  // In a folder whose socket was named to others before.
  Session(const std::string& socket, uint64_t store_bytes);
  ~Session();
  tbk_endpoint_t* agent() const { return agent_; }
  tbk_endpoint_t* attach(uint32_t role = TBK_ROLE_DRIVER);
  // The id of the next endpoint that joins; fails the test after ten seconds.
  uint32_t next_peer();
  // Before the session ends by itself.
  void detach(tbk_endpoint_t* endpoint);

 private:
  void start(uint64_t store_bytes);

  std::unique_ptr<PrivateFolder> folder_;
  std::string socket_;
  tbk_endpoint_t* agent_ = nullptr;
  std::vector<tbk_endpoint_t*> others_;
};

// Serves calls on a thread of its own until stopped: "echo" returns its argument, "fail" an error,
// "count" a stream, "hold" nothing until released.
class EchoServer {
 public:
  explicit EchoServer(tbk_endpoint_t* endpoint);
  ~EchoServer() { stop(); }
  void stop();
  uint32_t id() const { return id_; }
  uint64_t served() const { return served_; }

 private:
  void serve();
  void answer(const tbk_event_t& event);
  void stream(const tbk_event_t& event);

  tbk_endpoint_t* endpoint_;
  uint32_t id_ = 0;
  std::atomic<bool> is_stopping_{false};
  std::atomic<uint64_t> served_{0};
  std::thread thread_;
};

uint32_t endpoint_id(tbk_endpoint_t* endpoint);
tbk_function_t function(tbk_endpoint_t* endpoint, const std::string& name);
// Submits one call and returns its result ref.
tbk_ref_t call(tbk_endpoint_t* endpoint, tbk_target_t target, const std::string& function_name,
               const tbk_payload_t& args, uint32_t flags = 0);
// Waits for a ref and returns its bytes; fails the test after ten seconds.
std::string get(tbk_endpoint_t* endpoint, tbk_ref_t ref, bool* is_error = nullptr);
void release(tbk_endpoint_t* endpoint, tbk_ref_t ref);
tbk_stats_t stats(tbk_endpoint_t* endpoint);

}  // namespace thornback::testing
