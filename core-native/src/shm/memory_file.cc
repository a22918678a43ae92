#include "shm/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <string>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace thornback::shm {

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    unmap();
    data_ = other.data_;
    size_ = other.size_;
    other.data_ = nullptr;
    other.size_ = 0;
  }
  return *this;
}

Result<Mapping> Mapping::map(int fd, uint64_t offset, uint64_t size, Access access) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return Status::io("fstat of shared memory");
  if (offset > static_cast<uint64_t>(info.st_size) ||
      size > static_cast<uint64_t>(info.st_size) - offset) {
    return Status(TBK_PROTOCOL, "shared memory of " + std::to_string(info.st_size) +
                                    " bytes is shorter than the " + std::to_string(offset + size) +
                                    " to be mapped");
  }
  const int protection = access == Access::kReadOnly ? PROT_READ : PROT_READ | PROT_WRITE;
  const int sharing = access == Access::kPrivate ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED;
  void* address = mmap(nullptr, size, protection, sharing, fd, static_cast<off_t>(offset));
  if (address == MAP_FAILED)
    return Status::io("mmap of " + std::to_string(size) + " bytes of shared memory");
  madvise(address, size, MADV_DONTFORK);
  Mapping mapping;
  mapping.data_ = static_cast<std::byte*>(address);
  mapping.size_ = size;
  return mapping;
}

std::byte* Mapping::release() {
  std::byte* data = data_;
  data_ = nullptr;
  size_ = 0;
  return data;
}

void Mapping::unmap() {
  if (data_ != nullptr) munmap(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

Result<UniqueFd> create_memory_file(const char* name, uint64_t size) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.is_valid()) return Status::io("memfd_create");
  if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return Status::io("reserving " + std::to_string(size) + " bytes of shared memory");
  }
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return Status::io("sealing shared memory");
  return fd;
}

Status seal_future_writes(int fd) {
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
    return Status::io("sealing shared memory against writes");
  return Status::ok();
}

Result<uint64_t> sealed_file_size(int fd) {
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0) return Status::io("reading the seals of shared memory");
  if ((seals & F_SEAL_SHRINK) == 0)
    return Status(TBK_PROTOCOL, "a peer passed shared memory that is not sealed against shrinking");
  struct stat info {};
  if (fstat(fd, &info) != 0) return Status::io("fstat of shared memory");
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace thornback::shm
