#include "store/arena_reader.h"

#include <cstring>
#include <string>
#include <utility>

#include "store/arena_layout.h"
#include "store/directory.h"

namespace thornback::store {

namespace {

std::string text_of(ObjectName name) {
  return std::to_string(name.slot) + "." + std::to_string(name.generation);
}

}  // namespace

Result<std::unique_ptr<ArenaReader>> ArenaReader::map(UniqueFd fd) {
  const Result<uint64_t> file_bytes = shm::sealed_file_size(fd.get());
  if (!file_bytes.is_ok()) return file_bytes.status();
  if (file_bytes.value() < kDataOffset || file_bytes.value() % kPageBytes != 0) {
    return Status(TBK_PROTOCOL, "no arena has the " + std::to_string(file_bytes.value()) +
                                    " bytes that a peer's has");
  }
  Result<shm::Mapping> mapping =
      shm::Mapping::map(fd.get(), 0, file_bytes.value(), shm::Access::kReadOnly);
  if (!mapping.is_ok()) return mapping.status();
  ArenaHeader header;
  std::memcpy(&header, mapping.value().data(), sizeof header);
  if (header.magic != kArenaMagic)
    return Status(TBK_PROTOCOL, "a peer's arena has no arena header");
  if (header.version != kArenaVersion) {
    return Status(TBK_VERSION_MISMATCH, "a peer's arena has layout version " +
                                            std::to_string(header.version) + ", this is version " +
                                            std::to_string(kArenaVersion));
  }
  // This version has one layout. Comparing with it leaves nothing of the header to be trusted
  // later.
  if (header.slot_count != kSlotsMax || header.data_offset != kDataOffset ||
      header.file_bytes != file_bytes.value()) {
    return Status(TBK_PROTOCOL, "a peer's arena header contradicts its layout version");
  }
  return std::unique_ptr<ArenaReader>(new ArenaReader(std::move(fd), mapping.take()));
}

Result<ArenaReader::Object> ArenaReader::read(ObjectName name) const {
  if (name.slot >= kSlotsMax || name.generation == 0) {
    return Status(TBK_PROTOCOL, "object " + text_of(name) + " is a name that no arena gives out");
  }
  const auto* entries = reinterpret_cast<const DirectoryEntry*>(mapping_.data() + kDirectoryOffset);
  const EntryView view = read_entry(entries[name.slot], name.generation);
  if (view.outcome == EntryView::Outcome::kNotFound) {
    return Status(TBK_NOT_FOUND,
                  "object " + text_of(name) + " is not in its arena any more, or not yet");
  }
  const bool is_sound = view.outcome == EntryView::Outcome::kSealed && view.offset >= kDataOffset &&
                        view.offset < mapping_.size() && view.offset % kObjectAlignment == 0 &&
                        view.size <= mapping_.size() - view.offset && view.companion <= kSlotsMax;
  if (!is_sound) {
    return Status(TBK_PROTOCOL, "the entry of object " + text_of(name) + " contradicts its arena");
  }
  return Object{mapping_.data() + view.offset, view.size, view.companion, view.companion_generation,
                name};
}

Result<ArenaReader::PrivateView> ArenaReader::map_private(ObjectName name) const {
  const Result<Object> object = read(name);
  if (!object.is_ok()) return object.status();
  const auto offset = static_cast<uint64_t>(object.value().data - mapping_.data());
  const uint64_t size = object.value().size;
  const uint64_t first = offset / kPageBytes * kPageBytes;
  const uint64_t end = round_up(offset + std::max<uint64_t>(size, 1), kPageBytes);
  Result<shm::Mapping> view =
      shm::Mapping::map(fd_.get(), first, end - first, shm::Access::kPrivate);
  if (!view.is_ok()) return view.status();
  std::byte* data = view.value().data() + (offset - first);
  return PrivateView{view.take(), data, size};
}

}  // namespace thornback::store
