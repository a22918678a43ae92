// The blob around the head: the ref table, the buffers, and the pool of encoders.
#include "encoder.h"

namespace thornback::python {

uint32_t Encoder::ref_index(tbk_ref_t ref, uint32_t flags) {
  constexpr size_t kSearchedMax = 16;
  uint64_t name = ref << 1 | (flags & TBK_REF_RESOLVE);
  if (refs_.size() <= kSearchedMax) {
    for (size_t i = 0; i < refs_.size(); ++i) {
      if (refs_[i].ref == ref && refs_[i].flags == flags) return static_cast<uint32_t>(i);
    }
  } else {
    if (ref_positions_.empty()) {
      for (size_t i = 0; i < refs_.size(); ++i) {
        ref_positions_.emplace(refs_[i].ref << 1 | refs_[i].flags, static_cast<uint32_t>(i));
      }
    }
    auto found = ref_positions_.find(name);
    if (found != ref_positions_.end()) return found->second;
    ref_positions_.emplace(name, static_cast<uint32_t>(refs_.size()));
  }
  refs_.push_back({ref, flags, 0});
  return static_cast<uint32_t>(refs_.size() - 1);
}

void Encoder::preload_refs(const std::vector<tbk_ref_t>& refs) {
  for (tbk_ref_t ref : refs) refs_.push_back({ref, 0, 0});
}

uint32_t Encoder::add_buffer(OutBuffer buffer) {
  buffers_.push_back(buffer);
  return static_cast<uint32_t>(buffers_.size() - 1);
}

uint64_t Encoder::blob_size() const {
  if (buffers_.empty()) return head_.size();
  uint64_t end = first_offset();
  for (const OutBuffer& buffer : buffers_) end = ((end + 63) & ~uint64_t{63}) + buffer.size;
  return end;
}

void Encoder::write_blob(uint8_t* to) const {
  auto* head = const_cast<ByteWriter&>(head_).data();
  if (buffers_.empty()) {
    if (head_.size() > 0) std::memcpy(to, head, head_.size());
    return;
  }
  uint32_t words[4] = {0x014254C1, static_cast<uint32_t>(buffers_.size()),
                       static_cast<uint32_t>(head_.size()), 0};
  std::memcpy(to, words, sizeof words);
  uint64_t end = first_offset();
  std::memcpy(to + 16 + 16 * buffers_.size(), head, head_.size());
  for (size_t i = 0; i < buffers_.size(); ++i) {
    uint64_t offset = (end + 63) & ~uint64_t{63};
    uint64_t row[2] = {offset, buffers_[i].size};
    std::memcpy(to + 16 + 16 * i, row, sizeof row);
    std::memset(to + end, 0, offset - end);
    std::memcpy(to + offset, buffers_[i].data, buffers_[i].size);
    end = offset + buffers_[i].size;
  }
}

// ---- scopes
// --------------------------------------------------------------------------------------------------------

static thread_local Encoder* innermost = nullptr;

static std::vector<std::unique_ptr<Encoder>>& pool() {  // guarded by the GIL
  static std::vector<std::unique_ptr<Encoder>> instance;
  return instance;
}

EncodingScope::EncodingScope(Audience audience, const char* language) : outer_(innermost) {
  if (pool().empty()) {
    encoder_ = std::make_unique<Encoder>();
  } else {
    encoder_ = std::move(pool().back());
    pool().pop_back();
  }
  encoder_->reset(audience, language);
  innermost = encoder_.get();
}

EncodingScope::~EncodingScope() {
  innermost = outer_;
  encoder_->reset(Audience::kAny);
  if (pool().size() < 8) pool().push_back(std::move(encoder_));
}

Encoder* EncodingScope::current() {
  return innermost;
}

}  // namespace thornback::python
