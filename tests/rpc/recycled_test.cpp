#include "bulkhead/detail/recycled.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "platform/unsanitized.hpp"

using bulkhead::detail::give_memory;
using bulkhead::detail::take_memory;

namespace {

// Each is written to its last byte, so that two that overlap would show.
std::vector<void*> take_many(std::size_t count, std::size_t bytes) {
  std::vector<void*> pieces;
  for (std::size_t i = 0; i < count; ++i) {
    pieces.push_back(take_memory(bytes));
    std::memset(pieces.back(), static_cast<int>(i), bytes);
  }
  return pieces;
}

void give_all(const std::vector<void*>& pieces, std::size_t bytes) {
  for (void* const piece : pieces) give_memory(piece, bytes);
}

}  // namespace

TEST_CASE("What is given back is what is taken next, in any of its sizes") {
  if (BULKHEAD_SANITIZED) return;  // then each piece comes and goes
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{64}, std::size_t{65}, std::size_t{512}}) {
    void* const piece = take_memory(bytes);
    give_memory(piece, bytes);
    CHECK(take_memory(bytes) == piece);
    give_memory(piece, bytes);
  }
}

TEST_CASE("Pieces in use never overlap, however many there are") {
  const auto pieces = take_many(1000, 200);
  CHECK(std::set<void*>(pieces.begin(), pieces.end()).size() == 1000);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto* const bytes = static_cast<const unsigned char*>(pieces[i]);
    REQUIRE(bytes[0] == static_cast<unsigned char>(i));
    REQUIRE(bytes[199] == static_cast<unsigned char>(i));
  }
  give_all(pieces, 200);
}

TEST_CASE("What one thread takes another gives back, and the first has it again") {
  if (BULKHEAD_SANITIZED) return;
  constexpr std::size_t count = 640, bytes = 300;
  const auto taken = take_many(count, bytes);
  std::thread([&] { give_all(taken, bytes); }).join();
  const auto again = take_many(count, bytes);
  const std::set<void*> before(taken.begin(), taken.end());
  const auto same = std::count_if(again.begin(), again.end(),
                                  [&](void* piece) { return before.contains(piece); });
  CHECK(same >= static_cast<std::ptrdiff_t>(count / 2));
  give_all(again, bytes);
}

TEST_CASE("What is large, or nothing, is memory all the same") {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{513}, std::size_t{1} << 20}) {
    void* const piece = take_memory(bytes);
    std::memset(piece, 1, bytes);
    give_memory(piece, bytes);
  }
}
