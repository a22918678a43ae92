// A signed overflow that UndefinedBehaviorSanitizer must report.
#include <climits>

int main(int argc, char**) {
  volatile int largest = INT_MAX;
  return largest + argc;
}
