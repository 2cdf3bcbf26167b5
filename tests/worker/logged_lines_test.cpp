// Lines of a worker that wait to be logged.
#include "worker/logged_lines.hpp"

#include <catch2/catch.hpp>

using bulkhead::worker::LineRate;
using bulkhead::worker::LoggedLines;
using namespace std::chrono_literals;

namespace {

const LineRate::Time start{1h};

LoggedLines::Line line(std::string text) {
  return {.level = spdlog::level::info, .call = 1, .text = std::move(text)};
}

}  // namespace

TEST_CASE("Lines are taken in order, and a turn is due when the first of them has come") {
  LoggedLines lines;
  for (int round = 0; round < 2; ++round) {
    REQUIRE(lines.admits(0, start));
    CHECK(lines.put(line("one")));
    REQUIRE(lines.admits(0, start));
    CHECK_FALSE(lines.put(line("two")));
    const auto taken = lines.take();
    REQUIRE(taken.size() == 2);
    CHECK(taken[0].text == "one");
    CHECK(taken[1].text == "two");
    CHECK(taken[0].lost + taken[1].lost == 0);
    CHECK(lines.take().empty());
  }
}

TEST_CASE("Lines past the rate are counted with those that the worker lost, and told of once") {
  LoggedLines lines;
  for (unsigned i = 0; i < LineRate::in_a_span; ++i) {
    REQUIRE(lines.admits(0, start));
    lines.put(line("early"));
  }
  for (int i = 0; i < 7; ++i) CHECK_FALSE(lines.admits(2, start));
  REQUIRE(lines.admits(1, start + LineRate::span));
  lines.put(line("late"));
  REQUIRE(lines.admits(0, start + LineRate::span));
  lines.put(line("later"));
  const auto taken = lines.take();
  CHECK(taken[LineRate::in_a_span].lost == 7 + 7 * 2 + 1);
  CHECK(taken.back().lost == 0);
}

TEST_CASE("No more lines wait than there may, however slow the app's logger is") {
  LoggedLines lines;
  std::size_t admitted = 0;
  for (unsigned i = 0; i < 10'000; ++i) {
    if (!lines.admits(0, start + i * LineRate::span)) continue;
    ++admitted;
    lines.put(line("waits"));
  }
  CHECK(admitted == LoggedLines::most);
  CHECK(lines.take().size() == LoggedLines::most);
  REQUIRE(lines.admits(0, start + 10'000 * LineRate::span));
  lines.put(line("next"));
  CHECK(lines.take()[0].lost == 10'000 - LoggedLines::most);
}
