// Whether a worker still beats.
#include "pool/beats.hpp"

#include <catch2/catch.hpp>

using bulkhead::pool::Beats;
using Verdict = Beats::Verdict;

TEST_CASE("A worker whose count stands still for three looks is suspect, once") {
  Beats beats;
  CHECK(beats.look(1) == Verdict::as_before);
  CHECK(beats.look(1) == Verdict::as_before);
  CHECK(beats.look(1) == Verdict::as_before);
  CHECK_FALSE(beats.suspect());
  CHECK(beats.look(1) == Verdict::suspect);
  CHECK(beats.suspect());
  CHECK(beats.look(1) == Verdict::as_before);
}

TEST_CASE("A worker that beats again is none any more, and may be again") {
  Beats beats;
  for (int look = 0; look < 3; ++look) beats.look(0);
  CHECK(beats.suspect());
  CHECK(beats.look(7) == Verdict::recovered);
  CHECK_FALSE(beats.suspect());
  CHECK(beats.look(7) == Verdict::as_before);
  CHECK(beats.look(8) == Verdict::as_before);
  for (int look = 0; look < 2; ++look) CHECK(beats.look(8) == Verdict::as_before);
  CHECK(beats.look(8) == Verdict::suspect);
}
