#include "channel/channel.h"

#include <cstring>
#include <new>
#include <string>

namespace thornback::channel {
namespace {

constexpr uint64_t kMagic = 0x6c656e6e61686354;  // "Tchannel"
constexpr uint32_t kVersion = 1;
constexpr uint64_t kRingHeadersOffset = 4096;
constexpr uint64_t kDataOffset = 2 * 4096;
constexpr uint64_t kChannelBytes = kDataOffset + 2 * kRingCapacity;

struct ChannelHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t capacity;
};

static_assert(2 * sizeof(shm::RingHeader) <= kDataOffset - kRingHeadersOffset);

shm::RingHeader* ring_header(const shm::Mapping& mapping, uint32_t ring) {
  return reinterpret_cast<shm::RingHeader*>(mapping.data() + kRingHeadersOffset) + ring;
}

std::byte* ring_data(const shm::Mapping& mapping, uint32_t ring) {
  return mapping.data() + kDataOffset + ring * kRingCapacity;
}

}  // namespace

Result<UniqueFd> Channel::create_memory() {
  Result<UniqueFd> fd = shm::create_memory_file("thornback-channel", kChannelBytes);
  if (!fd.is_ok()) return fd;
  Result<shm::Mapping> mapping =
      shm::Mapping::map(fd.value().get(), 0, kDataOffset, shm::Access::kReadWrite);
  if (!mapping.is_ok()) return mapping.status();
  new (ring_header(mapping.value(), 0)) shm::RingHeader();
  new (ring_header(mapping.value(), 1)) shm::RingHeader();
  const ChannelHeader header{kMagic, kVersion, kRingCapacity};
  std::memcpy(mapping.value().data(), &header, sizeof header);
  return fd;
}

Result<std::unique_ptr<Channel>> Channel::open(int fd, uint32_t side) {
  Result<uint64_t> size = shm::sealed_file_size(fd);
  if (!size.is_ok()) return size.status();
  Result<shm::Mapping> mapping = shm::Mapping::map(fd, 0, kChannelBytes, shm::Access::kReadWrite);
  if (!mapping.is_ok()) return mapping.status();
  ChannelHeader header{};
  std::memcpy(&header, mapping.value().data(), sizeof header);
  if (header.magic != kMagic || header.version != kVersion || header.capacity != kRingCapacity) {
    return Status(TBK_PROTOCOL, "a peer offered memory that is not a channel of version " +
                                    std::to_string(kVersion));
  }
  const uint32_t out_ring = side == kLoopbackSide ? 0 : side;
  const uint32_t in_ring = side == kLoopbackSide ? 0 : 1 - side;
  return std::unique_ptr<Channel>(new Channel(mapping.take(), out_ring, in_ring));
}

Channel::Channel(shm::Mapping mapping, uint32_t out_ring, uint32_t in_ring)
    : mapping_(std::move(mapping)),
      out_(ring_header(mapping_, out_ring), ring_data(mapping_, out_ring), kRingCapacity),
      in_(ring_header(mapping_, in_ring), ring_data(mapping_, in_ring), kRingCapacity) {}

}  // namespace thornback::channel
