// How a pool ends: every way through the diagram.
#include "pool/ending.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace {

using namespace std::chrono_literals;
using bulkhead::pool::Ending;
using Act = Ending::Act;
using Stage = Ending::Stage;
using Step = Ending::Step;
using Time = Ending::Time;

constexpr Time now{std::chrono::hours(1)};
// How far the clock goes.
constexpr auto clock_range = std::chrono::floor<std::chrono::milliseconds>(Time::max() - now);

// What is left of the pool, as look() is told it.
struct Left {
  bool calls, workers, fork_server;
};
constexpr Left everything{true, true, true}, no_calls{false, true, true},
    no_workers{false, false, true}, nothing{false, false, false};

using Event = std::function<Step(Ending&)>;
Event shut_down(std::chrono::milliseconds grace = 30s) {
  return [grace](Ending& ending) { return ending.shut_down(now, grace); };
}
const Event kill_now = [](Ending& ending) { return ending.kill_now(now); };
const Event time_is_up = [](Ending& ending) { return ending.time_is_up(now); };
Event look(Left left) {
  return [left](Ending& ending) { return ending.look(left.calls, left.workers, left.fork_server); };
}

// One event, what is to be done for it, and where the pool is then.
struct Turn {
  Event event;
  Step expected;
  Stage stage;
};

void go_through(const std::vector<Turn>& turns) {
  Ending ending;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    CAPTURE(i);
    const Step step = turns[i].event(ending);
    CHECK(step.act == turns[i].expected.act);
    CHECK(step.wake_at == turns[i].expected.wake_at);
    CHECK(ending.stage() == turns[i].stage);
    CHECK(ending.begun() == (turns[i].stage != Stage::open));
  }
}

constexpr Step waits{};
const Turn shuts_down{shut_down(), {.wake_at = now + 30s}, Stage::draining};
const Turn asks_to_leave{look(no_calls), {.act = Act::ask_to_leave}, Stage::leaving};
const Turn terminates{
    time_is_up, {.act = Act::fail_and_terminate, .wake_at = now + 1s}, Stage::terminating};
const Turn kills{time_is_up, {.act = Act::kill, .wake_at = now + 5s}, Stage::killing};
const Turn kills_at_once{
    kill_now, {.act = Act::fail_and_kill, .wake_at = now + 5s}, Stage::killing};
const Turn gives_up{time_is_up, {.act = Act::give_up}, Stage::closing};
const Turn closes{look(no_workers), {.act = Act::close}, Stage::closing};
const Turn is_done{look(nothing), {.act = Act::done}, Stage::ended};

}  // namespace

TEST_CASE("A pool that nobody ends goes on, whatever is left of it") {
  for (const Left left : {everything, no_calls, no_workers, nothing})
    go_through({{look(left), waits, Stage::open}, {time_is_up, waits, Stage::open}});
}

TEST_CASE("Calls are waited for, then workers, then their fork server") {
  go_through({shuts_down,
              {look(everything), waits, Stage::draining},
              asks_to_leave,
              {look(no_calls), waits, Stage::leaving},
              closes,
              {look(no_workers), waits, Stage::closing},
              is_done});
}

TEST_CASE("A pool without calls or workers ends as soon as its fork server has") {
  SECTION("no calls") { go_through({shuts_down, asks_to_leave, closes, is_done}); }
  SECTION("no workers") { go_through({shuts_down, closes, is_done}); }
  SECTION("no fork server either") { go_through({shuts_down, is_done}); }
  SECTION("no workers, while calls wait for them") {
    go_through({shuts_down, {look({true, false, true}), waits, Stage::draining}, closes, is_done});
  }
  SECTION("the fork server dies first") {
    go_through(
        {shuts_down, asks_to_leave, {look({false, true, false}), waits, Stage::leaving}, is_done});
  }
}

TEST_CASE("Calls that are not answered within the grace fail, and their workers are terminated") {
  go_through(
      {shuts_down, terminates, {look(no_calls), waits, Stage::terminating}, closes, is_done});
}

TEST_CASE("Workers that do not leave within the grace are terminated") {
  go_through({shuts_down, asks_to_leave, terminates, closes, is_done});
}

TEST_CASE("Workers that SIGTERM does not end are killed") {
  go_through(
      {shuts_down, terminates, kills, {look(no_calls), waits, Stage::killing}, closes, is_done});
}

TEST_CASE("Workers that the kernel does not let go are given up") {
  SECTION("after a shutdown") {
    go_through({shuts_down,
                asks_to_leave,
                terminates,
                kills,
                gives_up,
                {look(no_calls), waits, Stage::closing},
                is_done});
  }
  SECTION("after a kill") { go_through({kills_at_once, gives_up, is_done}); }
  SECTION("and so they are though the fork server is gone") {
    go_through(
        {kills_at_once, gives_up, {look({false, true, false}), {.act = Act::done}, Stage::ended}});
  }
}

TEST_CASE("A pool that is dropped kills at once") {
  SECTION("with workers") {
    go_through({kills_at_once, {look(no_calls), waits, Stage::killing}, closes, is_done});
  }
  SECTION("without") { go_through({kills_at_once, closes, is_done}); }
  SECTION("with nothing") { go_through({kills_at_once, is_done}); }
}

TEST_CASE("A pool that is dropped during its shutdown kills at once") {
  SECTION("draining") { go_through({shuts_down, kills_at_once, closes, is_done}); }
  SECTION("leaving") { go_through({shuts_down, asks_to_leave, kills_at_once, closes, is_done}); }
  SECTION("terminating") { go_through({shuts_down, terminates, kills_at_once, closes, is_done}); }
  SECTION("killing already") {
    go_through(
        {shuts_down, terminates, kills, {kill_now, waits, Stage::killing}, gives_up, is_done});
  }
  SECTION("closing") {
    go_through({shuts_down, closes, {kill_now, waits, Stage::closing}, is_done});
  }
  SECTION("killed before") {
    go_through({kills_at_once, {kill_now, waits, Stage::killing}, closes, is_done});
  }
}

TEST_CASE("A second shutdown changes nothing, whenever it comes and whatever its grace") {
  const Turn again_draining{shut_down(0ms), waits, Stage::draining};
  go_through({shuts_down,
              again_draining,
              asks_to_leave,
              {shut_down(1ms), waits, Stage::leaving},
              terminates,
              {shut_down(), waits, Stage::terminating},
              kills,
              {shut_down(), waits, Stage::killing},
              closes,
              {shut_down(), waits, Stage::closing},
              is_done,
              {shut_down(), waits, Stage::ended}});
}

TEST_CASE("What has ended stays so") {
  const Turn last = GENERATE(values<Turn>({
      {kill_now, waits, Stage::ended},
      {time_is_up, waits, Stage::ended},
      {look(everything), waits, Stage::ended},
      {look(nothing), waits, Stage::ended},
  }));
  go_through({shuts_down, is_done, last});
}

TEST_CASE("A bell that rings late, while the fork server is ending, kills nobody") {
  go_through({shuts_down, closes, {time_is_up, waits, Stage::closing}, is_done});
}

TEST_CASE("A grace beyond the clock's range is for ever, and a negative one is none") {
  struct Row {
    std::chrono::milliseconds grace;
    std::optional<Time> wake_at;
  };
  const auto row = GENERATE(values<Row>({
      {std::chrono::milliseconds::max(), std::nullopt},
      {std::chrono::milliseconds::max() / 2, std::nullopt},
      {clock_range + 1ms, std::nullopt},
      {clock_range - 1ms, now + clock_range - 1ms},
      {std::chrono::hours(24 * 365), now + std::chrono::hours(24 * 365)},
      {0ms, now},
      {-1ms, now},
  }));
  CAPTURE(row.grace.count());
  Ending ending;
  CHECK(ending.shut_down(now, row.grace).wake_at == row.wake_at);
  CHECK(ending.stage() == Stage::draining);
}

TEST_CASE("The longest negative grace is over at once") {
  Ending ending;
  const auto wake_at = ending.shut_down(now, std::chrono::milliseconds::min()).wake_at;
  REQUIRE(wake_at);
  CHECK(*wake_at <= now);
}

TEST_CASE("Whatever happens and in whatever order, a pool goes only forwards, and ends") {
  std::mt19937 random(4711);
  for (int history = 0; history < 2'000; ++history) {
    Ending ending;
    Left left = everything;
    std::multiset<Act> done;
    for (int step = 0; ending.stage() != Stage::ended; ++step) {
      if (step > 10'000) FAIL("it does not end");
      const Stage before = ending.stage();
      if (random() % 8 == 0) left.calls = false;
      if (random() % 16 == 0 && !left.calls) left.workers = false;
      if (random() % 16 == 0 && !left.workers) left.fork_server = false;
      const std::vector<Event> events = {shut_down(), kill_now, time_is_up, look(left), look(left)};
      const Step result = events[random() % events.size()](ending);
      if (ending.stage() < before) FAIL("it went back");
      if (result.act == Act::give_up) left.workers = false;
      if (result.act != Act::nothing) done.insert(result.act);
    }
    for (const Act act : done)
      if (done.count(act) != 1) FAIL("it did something twice");
    if (done.count(Act::done) != 1) FAIL("it ended without a word");
  }
}
