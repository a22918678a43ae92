// Round trips without spinning: both ends sleep on their futex. Compare with thornback_limit.
#include "bench/round_trips.h"

int main() {
  using namespace thornback::bench;
  static const RoundTrips kCases[] = {
      {"sleep-cross", 0, 1, 0, 0, 1, 5'000},
      {"sleep-same", 0, 0, 0},
      {"sleep-free", kAnyCpu, kAnyCpu, 0, 0, 1, 5'000},
      {"sleep-sparse", kAnyCpu, kAnyCpu, 0, 1'000'000, 1, 500},
      {"sleep-window-1000", 0, 1, 0, 0, 1000, 2'000'000},
  };
  run_and_print(kCases, 5);
}
