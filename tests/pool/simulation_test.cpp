// Many histories of a pool, each from a seed. BULKHEAD_HISTORIES says how many (`./dev simulate`:
// 100000); BULKHEAD_SEED plays that one alone, as a failure names it.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "pool/history.hpp"

using namespace bulkhead::test;

namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* const value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("In every history each call ends once, as it may, and no worker idles while calls wait") {
  std::vector<std::unique_ptr<Puppet>> puppets;
  for (std::uint32_t number = 1; number <= 4; ++number)
    puppets.push_back(std::make_unique<Puppet>(number));
  const std::uint64_t first = setting("BULKHEAD_SEED", 1);
  const bool alone = std::getenv("BULKHEAD_SEED") != nullptr;
  const std::uint64_t count = alone ? 1 : setting("BULKHEAD_HISTORIES", 20'000);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::string complaint = History::make(seed, puppets)->play();
    if (complaint.empty()) continue;
    FAIL("BULKHEAD_SEED=" << seed << ": " << complaint);
  }
  SUCCEED();
}
