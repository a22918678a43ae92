// Anonymous shared memory: a memfd that is passed by descriptor and leaves no name behind, and its
// mappings.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "base/unique_fd.h"

namespace thornback::shm {

enum class Access { kReadWrite, kReadOnly, kPrivate /* copy-on-write */ };

// A mapping that is undone with the object. Mappings are not inherited by fork (MADV_DONTFORK).
class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept : data_(other.data_), size_(other.size_) {
    other.data_ = nullptr, other.size_ = 0;
  }
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { unmap(); }

  // Maps [offset, offset + size) of `fd`; offset is a multiple of the page size. The file must be
  // at least that long (checked: a shorter file of a faulty peer would kill the reader with
  // SIGBUS).
  static Result<Mapping> map(int fd, uint64_t offset, uint64_t size, Access access);

  std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }
  bool is_valid() const { return data_ != nullptr; }
  // Gives up ownership: the caller unmaps.
  std::byte* release();
  void unmap();

 private:
  std::byte* data_ = nullptr;
  uint64_t size_ = 0;
};

// Creates a memfd of exactly `size` bytes, close-on-exec, sealed against growing and shrinking.
// Pages are committed at first touch.
Result<UniqueFd> create_memory_file(const char* name, uint64_t size);
// After the owner has mapped the file for writing: every later mapping can only be read-only or
// private.
Status seal_future_writes(int fd);
// The length of the file, and whether it is sealed against shrinking (a peer's file that is not is
// refused).
Result<uint64_t> sealed_file_size(int fd);

}  // namespace thornback::shm
