// Writes Python values in the value format (proto/value-format.md). The head grows in one buffer;
// large bytes and arrays are only noted, and copied once to where the blob is built: private memory
// or the store.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "byte_writer.h"
#include "py.h"
#include "thornback.h"

namespace thornback::python {

/// Who reads the value: decides whether Python-only objects may be sent.
enum class Audience : uint8_t { kAny, kPython, kOther };

class Encoder {
 public:
  static constexpr int kDepthMax = 500;
  static constexpr size_t kInlineBytesMax = 4096;  // longer `bytes` travel out of band
  static constexpr size_t kInlineArrayMax = 512;

  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder() { reset(Audience::kAny); }

  /// Makes it empty again; keeps its memory.
  void reset(Audience audience, const char* language = "");

  /// One value. On failure an exception that names the member by its path from `root`.
  bool value(PyObject* object, const char* root);
  /// An error value from its map.
  bool error_value(PyObject* map);
  /// The arguments of a call. Refs given directly as arguments are marked to be resolved.
  bool arguments(PyObject* const* items, size_t count, PyObject* keyword_names);

  /// [positional, keywords] of a constructor; refs stay refs.
  bool constructor_arguments(PyObject* positional, PyObject* keywords);

  /// Index of a ref in the blob's table, added when missing.
  uint32_t ref_index(tbk_ref_t ref, uint32_t flags);
  /// Starts with this ref table (tests).
  void preload_refs(const std::vector<tbk_ref_t>& refs);
  const std::vector<tbk_ref_entry_t>& refs() const { return refs_; }

  bool framed() const { return !buffers_.empty(); }
  uint64_t blob_size() const;
  /// Writes the blob of `blob_size` bytes.
  void write_blob(uint8_t* to) const;
  /// The plain blob, when there is no frame.
  const uint8_t* head() { return head_.data(); }
  size_t head_size() const { return head_.size(); }

 private:
  struct OutBuffer {
    Py_buffer view{};  // obj is null when `owner` alone keeps the bytes
    PyObject* owner = nullptr;
    const uint8_t* data = nullptr;
    uint64_t size = 0;
  };

  bool any(PyObject* object, int depth);
  bool other(PyObject* object, int depth);
  bool integer(PyObject* object);
  bool wide_integer(PyObject* object);
  bool string(PyObject* object);
  bool bytes(PyObject* object);
  bool view_bytes(PyObject* object);
  bool list_items(PyObject* list, int depth);
  bool list(PyObject* object, int depth);
  bool tuple(PyObject* object, int depth);
  bool map(PyObject* object, int depth);
  bool set(PyObject* object, int depth);
  bool array(PyObject* object, int depth);
  bool array_body(Py_buffer* view, const char* dtype);
  bool numpy_scalar(PyObject* object, int depth);
  bool reduced(PyObject* object, int depth);
  bool extension(long code, PyObject* body, int depth);
  bool instant(PyObject* body);
  bool python_object(PyObject* body, int depth);
  bool bytes_or_buffer(PyObject* object, size_t inline_max);
  bool argument(PyObject* object, int depth);
  bool key(PyObject* object, int depth);

  uint32_t add_buffer(OutBuffer buffer);
  bool deeper(int depth);
  bool refuse(const char* format, ...);
  bool under_index(size_t index);
  bool under_key(PyObject* key);
  bool fail_at(const std::string& root);
  uint64_t first_offset() const { return 16 + 16 * buffers_.size() + head_.size(); }

  ByteWriter head_;
  std::vector<tbk_ref_entry_t> refs_;
  std::unordered_map<uint64_t, uint32_t> ref_positions_;  // filled once the table is long
  std::vector<OutBuffer> buffers_;
  std::vector<std::string> path_;  // innermost first, filled while a failure unwinds
  Audience audience_ = Audience::kAny;
  const char* language_ = "";
  friend class EncodingScope;
};

/// Borrows an encoder of the pool for one encoding; makes it the one that `reduce` hooks of this
/// thread add refs to.
class EncodingScope {
 public:
  explicit EncodingScope(Audience audience, const char* language = "");
  ~EncodingScope();
  EncodingScope(const EncodingScope&) = delete;
  EncodingScope& operator=(const EncodingScope&) = delete;
  Encoder* operator->() { return encoder_.get(); }
  Encoder& operator*() { return *encoder_; }
  /// The innermost encoding of this thread, or null.
  static Encoder* current();

 private:
  std::unique_ptr<Encoder> encoder_;
  Encoder* outer_;
};

}  // namespace thornback::python
