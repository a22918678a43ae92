#include "store/pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "base/check.h"
#include "store/arena_layout.h"
#include "store/machine_memory.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace thornback::store {

namespace {

// Left to the machine when memory is promised: what is taken to the last page ends in the kernel
// killing somebody.
constexpr uint64_t kMemoryLeftMin = uint64_t{32} << 20;
// How much is populated at once, so that a long population can be interrupted by a fatal signal and
// a machine that runs short is noticed in between.
constexpr uint64_t kPopulateStep = uint64_t{64} << 20;
constexpr uint64_t kGrantStepMax = uint64_t{16} << 20;
constexpr uint64_t kGrantStepMin = uint64_t{256} << 10;

// The arena's file for others. Opening it anew gives a file description without the right to write,
// which mmap and mprotect enforce. (F_SEAL_FUTURE_WRITE would do the same, but it also forbids its
// owner to punch holes, and then no memory ever goes back to the system.)
Result<UniqueFd> reopen_read_only(int fd) {
  if (fchmod(fd, S_IRUSR) != 0) return Status::io("fchmod of shared memory");
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  UniqueFd reopened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!reopened.is_valid()) return Status::io("opening shared memory read-only through " + path);
  return reopened;
}

Status populate(std::byte* data, uint64_t size, int fd, uint64_t offset) {
  for (;;) {
    if (madvise(data, size, MADV_POPULATE_WRITE) == 0) return Status::ok();
    if (errno == EINTR || errno == EAGAIN) continue;
    if (errno != EINVAL) break;
    // Kernels before 5.14: reserves the pages just as well, but the first write to each is slower.
    if (fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(size)) == 0) {
      return Status::ok();
    }
    if (errno != EINTR) break;
  }
  const Status cause = Status::io("getting " + std::to_string(size) + " bytes of memory");
  return {TBK_NO_MEMORY, cause.text()};
}

}  // namespace

Result<std::unique_ptr<Pages>> Pages::create(uint64_t file_bytes, uint64_t bytes_max, Quota quota) {
  Result<UniqueFd> fd = shm::create_memory_file("thornback-arena", file_bytes);
  if (!fd.is_ok()) return fd.status();
  Result<shm::Mapping> mapping =
      shm::Mapping::map(fd.value().get(), 0, file_bytes, shm::Access::kReadWrite);
  if (!mapping.is_ok()) return mapping.status();
  // Small pages: a system that hands out huge ones to shared memory unasked would back more than
  // was committed. Fails where the kernel has no huge pages, and then nothing is lost.
  madvise(mapping.value().data(), file_bytes, MADV_NOHUGEPAGE);
  Result<UniqueFd> read_only_fd = reopen_read_only(fd.value().get());
  if (!read_only_fd.is_ok()) return read_only_fd.status();
  return std::unique_ptr<Pages>(
      new Pages(fd.take(), read_only_fd.take(), mapping.take(), bytes_max, quota));
}

Pages::Pages(UniqueFd fd, UniqueFd read_only_fd, shm::Mapping mapping, uint64_t bytes_max,
             Quota quota)
    : fd_(std::move(fd)),
      read_only_fd_(std::move(read_only_fd)),
      mapping_(std::move(mapping)),
      bytes_max_(bytes_max),
      grant_step_(std::clamp(quota.capacity() / 64 / kPageBytes * kPageBytes, kGrantStepMin,
                             kGrantStepMax)),
      quota_(quota) {}

Pages::Reservation Pages::reserve(uint64_t bytes) {
  if (bytes > bytes_max_ || committed_ > bytes_max_ - bytes) return Reservation::kArenaFull;
  const uint64_t granted = quota_.granted_bytes();
  if (committed_ + bytes <= granted) return Reservation::kGranted;
  const uint64_t needed = committed_ + bytes - granted;
  return raise_grant(needed, std::max(needed, grant_step_));
}

uint64_t Pages::reserve_partly(uint64_t bytes) {
  const uint64_t wanted = committed_ + bytes;
  const uint64_t limit = std::min(wanted, bytes_max_);
  if (const uint64_t granted = quota_.granted_bytes(); granted < limit) {
    // Fails if others took it in between; then the caller gives back more, and asks again.
    raise_grant(kPageBytes, limit - granted);
  }
  const uint64_t covered = std::min(quota_.granted_bytes(), bytes_max_);
  return wanted > covered ? wanted - covered : 0;
}

// Memory is promised here, so here is where the machine has to have it. The look takes some tens of
// microseconds, and comes after the quota has agreed to something.
Pages::Reservation Pages::raise_grant(uint64_t needed, uint64_t wanted) {
  const uint64_t before = quota_.granted_bytes();
  if (!quota_.take(needed, wanted)) return Reservation::kStoreFull;
  const Result<uint64_t> usable = usable_memory_bytes();
  if (!usable.is_ok()) return Reservation::kGranted;
  const uint64_t got = quota_.granted_bytes() - before;
  const uint64_t spare = usable.value() > kMemoryLeftMin ? usable.value() - kMemoryLeftMin : 0;
  if (spare < needed) {
    quota_.give_back(got);
    return Reservation::kMachineFull;
  }
  if (got > spare) quota_.give_back((got - spare) / kPageBytes * kPageBytes);
  return Reservation::kGranted;
}

Status Pages::commit(uint64_t offset, uint64_t size) {
  TBK_CHECK(committed_ + size <= quota_.granted_bytes());
  for (uint64_t done = 0; done < size; done += kPopulateStep) {
    const uint64_t step = std::min(size - done, kPopulateStep);
    Status status = populate(base() + offset + done, step, fd_.get(), offset + done);
    if (status.is_ok()) continue;
    punch(offset, done + step);
    return status;
  }
  committed_ += size;
  return Status::ok();
}

bool Pages::decommit(uint64_t offset, uint64_t size) {
  if (!punch(offset, size)) return false;
  committed_ -= size;
  return true;
}

bool Pages::punch(uint64_t offset, uint64_t size) {
  while (fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                   static_cast<off_t>(offset), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

void Pages::return_grant() {
  const uint64_t granted = quota_.granted_bytes();
  if (granted - committed_ < 2 * grant_step_) return;
  quota_.give_back(granted - committed_ - grant_step_);
}

}  // namespace thornback::store
