// The memory file of an arena and the pages in it that are backed by memory. Every byte that is
// backed is covered by the quota before the kernel is asked for it, and is there, or refused,
// before anybody touches it: a page that cannot be had is an error of commit(), not a signal at
// some later store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "base/unique_fd.h"
#include "shm/memory_file.h"
#include "store/quota.h"

namespace thornback::store {

class Pages {
 public:
  enum class Reservation : uint8_t {
    kGranted,
    kArenaFull,    // bytes_max would be exceeded
    kMachineFull,  // the machine, or the process's control group, has too little free memory
    kStoreFull,    // the capacity of the node's store would be exceeded
  };

  // `bytes_max`: the most that is committed at once. `file_bytes` of address space, mapped
  // read-write.
  static Result<std::unique_ptr<Pages>> create(uint64_t file_bytes, uint64_t bytes_max,
                                               Quota quota);

  std::byte* base() const { return mapping_.data(); }
  uint64_t file_bytes() const { return mapping_.size(); }
  int read_only_fd() const { return read_only_fd_.get(); }

  // Makes the grant cover `bytes` more than what is committed, and where there is plenty more than
  // that, so that most calls ask nobody.
  Reservation reserve(uint64_t bytes);
  // Takes from the quota what is left, if that is less than `bytes`; returns how many bytes would
  // have to be given back before reserve(bytes) can succeed.
  uint64_t reserve_partly(uint64_t bytes);
  // Backs [offset, offset + size) with fresh zero pages; reserved before. Blocks while the kernel
  // provides them. After a failure nothing of the range is backed.
  Status commit(uint64_t offset, uint64_t size);
  // Gives the pages back to the system, not yet the grant. False if the kernel refuses: they stay.
  bool decommit(uint64_t offset, uint64_t size);
  // Gives back what is granted beyond what is committed, if that is much.
  void return_grant();

  uint64_t committed() const { return committed_; }
  uint64_t granted() const { return quota_.granted_bytes(); }
  uint64_t bytes_max() const { return bytes_max_; }
  Quota& quota() { return quota_; }
  const Quota& quota() const { return quota_; }

 private:
  Reservation raise_grant(uint64_t needed, uint64_t wanted);
  bool punch(uint64_t offset, uint64_t size);

  Pages(UniqueFd fd, UniqueFd read_only_fd, shm::Mapping mapping, uint64_t bytes_max, Quota quota);

  UniqueFd fd_;
  UniqueFd read_only_fd_;
  shm::Mapping mapping_;
  uint64_t bytes_max_;
  uint64_t grant_step_;
  uint64_t committed_ = 0;
  Quota quota_;
};

}  // namespace thornback::store
