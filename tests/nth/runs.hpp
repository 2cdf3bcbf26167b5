// One scenario after the other, each in a process of its own in which another call fails.
#pragma once

#include <cstdint>
#include <string>

namespace bulkhead::nth {

struct Series {
  std::string process;  // whose calls: "app" or "fork_server"
  std::string kind;     // "system_calls" or "allocations"
};

// Which of the calls are made to fail: first, first + stride, ... up to `last`.
struct Range {
  std::uint64_t first = 1, stride = 1, last = ~std::uint64_t{};
};

struct Tally {
  std::uint64_t runs = 0, failures = 0;
};

// Until the scenario comes to its end before it has made so many calls. Prints what went wrong.
Tally run(const Series& series, const Range& range);

}  // namespace bulkhead::nth
