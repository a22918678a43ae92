// A zeroed array that costs memory only where it is touched: for tables sized for the worst case.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <type_traits>

namespace thornback::store {

template <class T>
class LazyArray {
  static_assert(std::is_trivial_v<T>);

 public:
  // Straight from the kernel: malloc may find the size in memory that was used before, and clear
  // all of it.
  explicit LazyArray(size_t count) : bytes_(count * sizeof(T)) {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, kFlags, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    items_ = static_cast<T*>(memory);
  }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;
  ~LazyArray() { munmap(items_, bytes_); }

  T& operator[](size_t index) { return items_[index]; }
  const T& operator[](size_t index) const { return items_[index]; }

 private:
  size_t bytes_;
  T* items_ = nullptr;
};

}  // namespace thornback::store
