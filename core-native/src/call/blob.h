// The bytes of one value as this endpoint has them: none, private (inline), or in the store. A blob
// does not free anything by itself: its record does, because that can mean sending frames.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "channel/generated/frames_generated.h"
#include "thornback.h"

namespace thornback::call {

class Blob {
 public:
  enum class Kind : uint8_t { kNone, kInline, kStored };

  Kind kind = Kind::kNone;
  bool is_error = false;
  bool holds = false;         // this endpoint gives the stored object back when the blob goes
  wire::StorageId storage{};  // of a stored blob
  std::vector<tbk_ref_entry_t> refs;  // the ref table; each entry is one pin of its record

  const uint8_t* data() const {
    return kind == Kind::kStored ? stored_ : heap_ ? heap_.get() : small_;
  }
  uint64_t size() const { return size_; }

  void set_inline(const void* bytes, uint64_t size, bool error) {
    kind = Kind::kInline;
    is_error = error;
    size_ = size;
    uint8_t* to = small_;
    if (size > sizeof small_) {
      heap_ = std::make_unique_for_overwrite<uint8_t[]>(size);
      to = heap_.get();
    }
    if (size > 0) std::memcpy(to, bytes, size);
  }

  void set_stored(const wire::StorageId& name, const uint8_t* bytes, uint64_t size, bool error,
                  bool hold) {
    kind = Kind::kStored;
    is_error = error;
    holds = hold;
    storage = name;
    stored_ = bytes;
    size_ = size;  // private bytes, if there were any, stay: somebody may be reading them
  }

  void fill(tbk_value_t& out, tbk_ref_t hold) const {
    out.data = data();
    out.size = size_;
    out.refs = refs.data();
    out.ref_count = static_cast<uint32_t>(refs.size());
    out.flags = 0;
    if (is_error) out.flags |= TBK_VALUE_ERROR;
    if (kind == Kind::kStored) out.flags |= TBK_VALUE_STORED;
    out.hold = kind == Kind::kStored ? hold : 0;
  }

 private:
  uint64_t size_ = 0;
  const uint8_t* stored_ = nullptr;
  std::unique_ptr<uint8_t[]> heap_;
  alignas(8) uint8_t small_[48];
};

}  // namespace thornback::call
