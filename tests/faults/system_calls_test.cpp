// What calls ask of the kernel while they flow.
#include "support/system_calls.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "faults/calls.hpp"
#include "platform/unsanitized.hpp"
#include "support/leak_check.hpp"

#if !BULKHEAD_SANITIZED  // a sanitizer makes system calls of its own

using namespace bulkhead;
using namespace bulkhead::test;

// Of all threads on both sides. Where other processes take the cores away, one side does sleep and
// is woken; a stretch comes in which that is rare.
TEST_CASE("calls make no system call while both sides are busy") {
  const LeakCheck leaks;
  constexpr std::uint64_t open = 256, stretch = 16 * open, few = stretch / 20;
  std::uint64_t fewest = stretch;
  const bool counted = SystemCalls::count([&](const SystemCalls& system_calls) {
    auto worker = TestWorker::start();
    std::vector<Future<int>> calls(open);
    for (auto& call : calls) call = worker.run(Add{1, 2});
    const auto replace_each = [&] {
      for (auto& call : calls) {
        static_cast<void>(call.get());
        call = worker.run(Add{1, 2});
      }
    };
    static_cast<void>(wait_until([&] {
      replace_each();  // after a pause
      const std::uint64_t before = system_calls.so_far();
      for (std::uint64_t made = 0; made < stretch; made += open) replace_each();
      fewest = std::min(fewest, system_calls.so_far() - before);
      return fewest < few;
    }));
  });
  if (counted)
    CHECK(fewest < few);
  else
    WARN("system calls cannot be counted here");
}

#endif
