// The channel of two endpoints: one memfd with a ring in each direction.
//
//     offset 0                ChannelHeader (magic, version, capacity)
//     kRingHeadersOffset      RingHeader written to by side 0 | RingHeader written to by side 1
//     kDataOffset             capacity bytes of side 0 | capacity bytes of side 1
//
// Side 0 is the endpoint that asked for the channel. Both map it read-write; nobody else has it.
#pragma once

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "base/unique_fd.h"
#include "shm/memory_file.h"
#include "shm/ring.h"

namespace thornback::channel {

inline constexpr uint64_t kRingCapacity = 256 * 1024;

// Side that writes and reads the same ring: an endpoint's channel to itself.
inline constexpr uint32_t kLoopbackSide = 2;

class Channel {
 public:
  static Result<UniqueFd> create_memory();
  // TBK_PROTOCOL when the memory is not a channel of this version.
  static Result<std::unique_ptr<Channel>> open(int fd, uint32_t side);

  shm::RingProducer<>& out() { return out_; }
  shm::RingConsumer<>& in() { return in_; }

 private:
  Channel(shm::Mapping mapping, uint32_t out_ring, uint32_t in_ring);

  shm::Mapping mapping_;
  shm::RingProducer<> out_;
  shm::RingConsumer<> in_;
};

}  // namespace thornback::channel
