// Samples, their percentiles, and rows of JSON on standard output.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace thornback::bench {

inline double percentile(std::vector<double> samples, double fraction) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const auto index = static_cast<size_t>(fraction * static_cast<double>(samples.size()));
  return samples[std::min(index, samples.size() - 1)];
}

// The figures of one case: one entry per repetition.
struct Row {
  std::string name;
  std::string unit;
  std::vector<double> values;    // the figure itself: a repetition's median or rate
  std::vector<double> p99 = {};  // for latencies: a repetition's 99th percentile
};

// A repetition of a latency case: microseconds of each round trip.
inline void add_latencies(Row& row, const std::vector<double>& microseconds) {
  row.values.push_back(percentile(microseconds, 0.5));
  row.p99.push_back(percentile(microseconds, 0.99));
}

inline void print_json(const std::vector<Row>& rows, const char* subject) {
  std::printf("[\n");
  for (size_t index = 0; index < rows.size(); ++index) {
    const Row& row = rows[index];
    std::printf(
        "  {\"case\": \"%s\", \"subject\": \"%s\", \"unit\": \"%s\", \"median\": %.4g, \"min\": "
        "%.4g, \"max\": %.4g, \"samples\": %zu",
        row.name.c_str(), subject, row.unit.c_str(), percentile(row.values, 0.5),
        percentile(row.values, 0), percentile(row.values, 1), row.values.size());
    if (!row.p99.empty()) std::printf(", \"p99\": %.4g", percentile(row.p99, 0.5));
    std::printf("}%s\n", index + 1 < rows.size() ? "," : "");
  }
  std::printf("]\n");
}

}  // namespace thornback::bench
