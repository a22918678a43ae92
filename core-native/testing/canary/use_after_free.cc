// A read of freed memory that AddressSanitizer must report.
#include <cstdlib>

int main() {
  volatile char* bytes = static_cast<char*>(std::malloc(1));
  std::free(const_cast<char*>(bytes));
  return bytes[0];  // NOLINT(clang-analyzer-*)
}
