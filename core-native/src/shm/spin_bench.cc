// Round trips with spinning, in each placement it has to cope with. Compare with thornback_limit.
#include "bench/round_trips.h"

int main() {
  using namespace thornback::bench;
  constexpr int64_t kSpin = thornback::shm::kSpinNsDefault;
  static const RoundTrips kCases[] = {
      {"spin-cross", 0, 1, kSpin, 0, 1, 200'000},
      {"spin-same", 0, 0, kSpin},
      {"spin-free", kAnyCpu, kAnyCpu, kSpin, 0, 1, 100'000},
      {"spin-sparse", kAnyCpu, kAnyCpu, kSpin, 1'000'000, 1, 500},
      {"spin-sparse-cross", 0, 1, kSpin, 1'000'000, 1, 500},
      {"spin-window-1000", 0, 1, kSpin, 0, 1000, 5'000'000},
      {"spin-window-1000-same", 0, 0, kSpin, 0, 1000, 2'000'000},
  };
  run_and_print(kCases, 5);
}
