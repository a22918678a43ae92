// A reader's side of another endpoint's arena. The owner is not trusted: what it wrote is read once
// and checked against the mapping, so that nonsense gives an error, never an access out of bounds.
// Safe to use from several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "base/unique_fd.h"
#include "shm/memory_file.h"
#include "store/object_name.h"

namespace thornback::store {

class ArenaReader {
 public:
  // Maps the arena read-only, whole, once. TBK_PROTOCOL if `fd` is no arena.
  static Result<std::unique_ptr<ArenaReader>> map(UniqueFd fd);

  struct Object {
    const std::byte* data = nullptr;
    uint64_t size = 0;
    uint32_t companion = 0;  // slot + 1 of the object with its ref table, or 0
    uint32_t companion_generation = 0;
    ObjectName name;

    bool has_companion() const { return companion != 0; }
    ObjectName companion_name() const { return {companion - 1, companion_generation}; }
  };
  // Sealed objects only: TBK_NOT_FOUND for a name that is stale or not sealed, TBK_PROTOCOL for one
  // that no arena gives out and for entries that contradict the file. The bytes stay as they are
  // for as long as the caller holds the object; without a hold, finding it says nothing about its
  // bytes.
  Result<Object> read(ObjectName name) const;

  // An own copy-on-write view of one object, for runtimes without read-only buffers: writes to it
  // are seen by nobody. Each call makes a fresh mapping, because a page that was written through a
  // private mapping never shows again what the owner puts there. The view ends with the hold on the
  // object.
  struct PrivateView {
    shm::Mapping mapping;  // the pages around the object
    std::byte* data = nullptr;
    uint64_t size = 0;
  };
  Result<PrivateView> map_private(ObjectName name) const;

 private:
  ArenaReader(UniqueFd fd, shm::Mapping mapping)
      : fd_(std::move(fd)), mapping_(std::move(mapping)) {}

  UniqueFd fd_;
  shm::Mapping mapping_;
};

}  // namespace thornback::store
