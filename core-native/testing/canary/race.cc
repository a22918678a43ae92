// A data race that ThreadSanitizer must report.
#include <thread>

int shared;

int main() {
  std::thread other([] { shared = 1; });
  shared = 2;
  other.join();
  return 0;
}
