#include "table.hpp"

#include <algorithm>
#include <cstdio>

namespace bulkhead::bench {

double Samples::percentile(unsigned percent) {
  if (nanoseconds_.empty()) return 0;
  const auto at =
      nanoseconds_.begin() + static_cast<std::ptrdiff_t>((nanoseconds_.size() - 1) * percent / 100);
  std::nth_element(nanoseconds_.begin(), at, nanoseconds_.end());
  return *at;
}

void Table::add(benchmark::State& state, const std::string& counter, const Row& row) {
  rows_.push_back(row);
  state.counters[counter] = row.ours;
  if (row.floor == 0) return;
  state.counters["floor_" + counter] = row.floor;
  state.counters["ratio_" + counter] = row.ratio();
}

void Table::print() const {
  std::size_t width = 0;
  for (const Row& row : rows_) width = std::max(width, row.what.size());
  const int column = static_cast<int>(width);
  std::printf("\n%-*s  %11s  %11s  %6s  %-7s  %s\n", column, "", "ours", "floor", "ratio", "unit",
              "the floor is");
  for (const Row& row : rows_) {
    const int digits = row.ours < 100 ? 2 : 0;
    std::printf("%-*s  %11.*f  ", column, row.what.c_str(), digits, row.ours);
    if (row.floor == 0)
      std::printf("%11s  %6s  %s\n", "", "", row.unit.c_str());
    else
      std::printf("%11.*f  %6.1f  %-7s  %s\n", row.floor < 100 ? 2 : 0, row.floor, row.ratio(),
                  row.unit.c_str(), row.floor_is.c_str());
  }
}

}  // namespace bulkhead::bench
