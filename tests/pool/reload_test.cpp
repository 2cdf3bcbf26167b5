// How a pool comes to run a new program: every way through the diagram, and random histories.
#include "pool/reload.hpp"

#include <catch2/catch.hpp>
#include <random>

namespace {

using bulkhead::pool::Reload;
using Act = Reload::Act;
using Stage = Reload::Stage;

constexpr Reload::View whole{.old_workers = true, .old_servers = true};
constexpr Reload::View surplus{.surplus = true, .old_workers = true, .old_servers = true};
constexpr Reload::View leaving{.leaving = true, .old_workers = true, .old_servers = true};
constexpr Reload::View all_new{.old_servers = true};
constexpr Reload::View alone{};

// Until its first worker is started.
Reload launched(const Reload::View& view = whole) {
  Reload reload;
  reload.begin();
  reload.serves();
  CHECK(reload.look(view) == Act::start);
  return reload;
}

}  // namespace

TEST_CASE("without a reload nothing is to be done") {
  Reload reload;
  for (const auto& view : {whole, surplus, leaving, all_new, alone})
    CHECK(reload.look(view) == Act::nothing);
  CHECK(reload.ready() == Act::nothing);
  CHECK_FALSE(reload.failed());
  reload.serves();
  CHECK_FALSE(reload.running());
}

TEST_CASE("workers are replaced one after the other") {
  Reload reload;
  reload.begin();
  CHECK(reload.stage() == Stage::launching);
  CHECK(reload.look(whole) == Act::nothing);
  reload.serves();
  CHECK(reload.look(whole) == Act::start);
  CHECK(reload.look(whole) == Act::nothing);
  CHECK_FALSE(reload.taken_over());
  CHECK(reload.ready() == Act::take_over);
  CHECK(reload.look(surplus) == Act::retire);
  CHECK(reload.look(leaving) == Act::nothing);
  CHECK(reload.look(whole) == Act::start);
  CHECK(reload.ready() == Act::nothing);
  CHECK(reload.taken_over());
  CHECK(reload.look(surplus) == Act::retire);
  CHECK(reload.look({.leaving = true, .old_servers = true}) == Act::nothing);
  CHECK(reload.look(all_new) == Act::nothing);  // until the old fork server is gone
  CHECK(reload.running());
  CHECK(reload.look(alone) == Act::done);
  CHECK_FALSE(reload.running());
}

TEST_CASE("a new program is tried also where no worker is left to be replaced") {
  auto reload = launched(alone);
  CHECK(reload.ready() == Act::take_over);
  CHECK(reload.look(alone) == Act::done);
}

TEST_CASE("who still leaves since an earlier reload is waited for first") {
  Reload reload;
  reload.begin();
  reload.serves();
  CHECK(reload.look(leaving) == Act::nothing);
  CHECK(reload.look(whole) == Act::start);
}

TEST_CASE("a worker that is one too many leaves, though it be a new one") {
  auto reload = launched();
  CHECK(reload.ready() == Act::take_over);
  CHECK(reload.look({.surplus = true}) == Act::retire);
  CHECK(reload.look(alone) == Act::done);
}

TEST_CASE("a worker that replaces one that crashed meanwhile makes nobody leave") {
  auto reload = launched();
  CHECK(reload.ready() == Act::take_over);
  CHECK(reload.look(whole) == Act::start);
}

TEST_CASE("a failure ends the reload, at any moment") {
  for (int moment = 0; moment < 5; ++moment) {
    CAPTURE(moment);
    Reload reload;
    reload.begin();
    if (moment > 0) reload.serves();
    if (moment > 1) CHECK(reload.look(whole) == Act::start);
    if (moment > 2) CHECK(reload.ready() == Act::take_over);
    if (moment > 3) CHECK(reload.look(surplus) == Act::retire);
    CHECK(reload.taken_over() == (moment > 2));
    CHECK(reload.failed());
    CHECK_FALSE(reload.failed());
    for (const auto& view : {whole, surplus, leaving, alone})
      CHECK(reload.look(view) == Act::nothing);
    // The next one has to show anew that its program works.
    reload.begin();
    CHECK_FALSE(reload.taken_over());
  }
}

// Old ones crash and are replaced as they like: it ends, there are never too few workers by its
// doing, and never more than one beside those that there are to be.
TEST_CASE("a reload ends, with all workers replaced, whatever happens meanwhile") {
  std::minstd_rand dice(1);
  for (int history = 0; history < 2'000; ++history) {
    const int wanted = 1 + static_cast<int>(dice() % 4);
    int old = wanted, renewed = 0, retired = 0, candidates = 0, steps = 0;
    bool old_server = true;
    Reload reload;
    reload.begin();
    while (reload.running()) {
      REQUIRE(++steps < 200);
      const bool calm = steps > 50;
      switch (dice() % (calm ? 3 : 4)) {
        case 0:
          reload.serves();
          break;
        case 1:
          if (candidates == 0) break;
          candidates = 0;
          // Where one is missing it fills that place.
          ++renewed;
          reload.ready();
          break;
        case 2:
          retired = 0;
          break;
        case 3:  // a crash, and the successor
          if (old == 0) break;
          --old;
          ++(reload.taken_over() ? renewed : old);
      }
      if (old + retired == 0 && reload.taken_over() && dice() % 2 == 0) old_server = false;
      const auto view = [&] {
        return Reload::View{retired > 0, old + renewed > wanted, old > 0, old_server};
      };
      for (Act act = reload.look(view()); act != Act::nothing; act = reload.look(view())) {
        if (act == Act::start) ++candidates;
        if (act == Act::retire) --(old > 0 ? old : renewed), ++retired;
        REQUIRE(old + renewed + candidates + retired <= wanted + 1);
        REQUIRE(old + renewed >= wanted);
      }
    }
    CHECK(old == 0);
    CHECK(renewed == wanted);
    CHECK_FALSE(old_server);
  }
}
