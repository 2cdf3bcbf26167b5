// Every event in every state of a call, and histories of many events.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "rpc/call_life.hpp"

namespace {

using bulkhead::rpc::CallLife;
using State = CallLife::State;
using Stop = CallLife::Stop;
using Run = CallLife::Run;
using Failure = CallLife::Failure;
using Step = CallLife::Step;
using Then = Step::Then;

constexpr bool begun = true, not_begun = false;
constexpr std::array states = {State::queued, State::handed_over, State::stopping, State::abandoned,
                               State::settled};
constexpr std::array names = {"queued", "handed over", "stopping", "abandoned", "settled"};

// A call that is not idempotent, and was asked to stop for `reason` where it was.
CallLife call_in(State state, Failure reason) {
  CallLife life;
  if (state == State::queued) return life;
  life.hand_over();
  if (state == State::stopping) life.stop(reason, Stop::partial, begun);
  if (state == State::abandoned) life.stop(reason, Stop::terminal, begun);
  if (state == State::settled) life.answered();
  return life;
}

// What an event does to a call in one state. Empty: nothing at all.
struct Change {
  State to;
  Step step = {};
};
using Outcome = std::optional<Change>;

struct Row {
  std::string event;
  std::function<Step(CallLife&)> happen;
  std::array<Outcome, states.size()> in;  // by state
};

std::vector<Row> table(Failure reason) {
  const Outcome nothing;
  const Change ends{State::settled, {}};
  const Change delivers{State::settled, {.then = Then::deliver}};
  const Change requeues{State::queued, {.then = Then::requeue}};
  const Change kills_stopping{State::stopping, {.kill_worker = true}};
  const Change kills_abandoned{State::abandoned, {.kill_worker = true}};
  const auto fails = [](Failure why) {
    return Change{State::settled, {.then = Then::fail, .failure = why}};
  };
  const Change asks{State::stopping, {.ask_handler = true}};
  const Change tells{State::abandoned, {.then = Then::fail, .failure = reason}};
  Change tells_and_asks = tells;
  tells_and_asks.step.ask_handler = true;
  const auto stop = [reason](Stop how, bool has_begun) {
    return [=](CallLife& life) { return life.stop(reason, how, has_begun); };
  };
  const auto hand_over = [](CallLife& life) {
    life.hand_over();
    return Step{};
  };
  const Change given{State::handed_over, {}};
  const Change stopped = fails(reason);
  return {
      // event, then what it does to: queued, handed over, stopping, abandoned, settled
      {"hand_over", hand_over, {given, nothing, nothing, nothing, nothing}},
      {"taken_back", &CallLife::taken_back, {nothing, requeues, nothing, nothing, nothing}},
      {"answered", &CallLife::answered, {nothing, delivers, stopped, ends, nothing}},
      {"its worker lost, begun",
       [](CallLife& life) { return life.worker_lost(Run::alone); },
       {nothing, fails(Failure::crashed), stopped, ends, nothing}},
      {"its worker lost, begun beside others",
       [](CallLife& life) { return life.worker_lost(Run::beside_others); },
       {nothing, fails(Failure::crashed), stopped, ends, nothing}},
      {"its worker lost, not begun",
       [](CallLife& life) { return life.worker_lost(Run::not_begun); },
       {nothing, requeues, stopped, ends, nothing}},
      {"stop total, not begun",
       stop(Stop::total, not_begun),
       {stopped, stopped, nothing, nothing, nothing}},
      {"stop total, begun",
       stop(Stop::total, begun),
       {stopped, nothing, nothing, nothing, nothing}},
      {"stop partial, not begun",
       stop(Stop::partial, not_begun),
       {stopped, stopped, nothing, nothing, nothing}},
      {"stop partial, begun",
       stop(Stop::partial, begun),
       {stopped, asks, nothing, nothing, nothing}},
      {"stop terminal, not begun",
       stop(Stop::terminal, not_begun),
       {stopped, stopped, tells, nothing, nothing}},
      {"stop terminal, begun",
       stop(Stop::terminal, begun),
       {stopped, tells_and_asks, tells, nothing, nothing}},
      {"grace_over",
       &CallLife::grace_over,
       {nothing, nothing, kills_stopping, kills_abandoned, nothing}},
      {"shut_down",
       &CallLife::shut_down,
       {fails(Failure::shut_down), fails(Failure::shut_down), fails(Failure::shut_down), ends,
        nothing}},
  };
}

}  // namespace

TEST_CASE("Each event does to a call what the diagram says, in every state") {
  const Failure reason = GENERATE(Failure::cancelled, Failure::deadline);
  for (const Row& row : table(reason)) {
    for (std::size_t i = 0; i < states.size(); ++i) {
      INFO(row.event << " while " << names[i]);
      CallLife life = call_in(states[i], reason);
      REQUIRE(life.state() == states[i]);
      const Change expected = row.in[i].value_or(Change{states[i]});

      const Step step = row.happen(life);
      CHECK(life.state() == expected.to);
      CHECK(step.then == expected.step.then);
      CHECK(step.failure == expected.step.failure);
      CHECK(step.ask_handler == expected.step.ask_handler);
      CHECK(step.kill_worker == expected.step.kill_worker);
      CHECK(life.attempt() == 1);
      CHECK_FALSE(life.must_run_alone());
    }
  }
}

TEST_CASE("A call may take down as many workers as its attempts allow") {
  struct Row {
    bool idempotent;
    unsigned max_attempts, workers_it_may_take_down;
  };
  const auto row = GENERATE(values<Row>({
      {false, 1, 1},
      {false, 3, 1},
      {false, 0, 1},
      {true, 0, 1},
      {true, 1, 1},
      {true, 2, 2},
      {true, 3, 3},
      {true, 1000, 1000},
  }));
  CAPTURE(row.idempotent, row.max_attempts);
  CallLife life(row.idempotent, row.max_attempts);
  for (unsigned lost = 1; lost < row.workers_it_may_take_down; ++lost) {
    life.hand_over();
    REQUIRE(life.worker_lost(Run::alone).then == Then::requeue);
    REQUIRE(life.attempt() == lost + 1);
    REQUIRE(life.state() == State::queued);
  }
  life.hand_over();
  const Step last = life.worker_lost(Run::alone);
  CHECK(last.then == Then::fail);
  CHECK(last.failure == Failure::crashed);
  CHECK(life.attempt() == row.workers_it_may_take_down);
}

TEST_CASE("Workers that died before they began a call are not counted against it") {
  CallLife life(true, 2);
  for (int i = 0; i < 1000; ++i) {
    life.hand_over();
    REQUIRE(life.worker_lost(Run::not_begun).then == Then::requeue);
  }
  CHECK(life.attempt() == 1);
  life.hand_over();
  CHECK(life.worker_lost(Run::alone).then == Then::requeue);
  life.hand_over();
  CHECK(life.worker_lost(Run::alone).then == Then::fail);
}

TEST_CASE("A call that ran beside a crash is tried again alone, and only then charged") {
  const unsigned max_attempts = GENERATE(1u, 2u, 3u);
  CallLife life(true, max_attempts);
  life.hand_over();
  REQUIRE(life.worker_lost(Run::beside_others).then == Then::requeue);
  CHECK(life.must_run_alone());
  CHECK(life.attempt() == 2);
  SECTION("and answered") {
    life.hand_over();
    CHECK(life.answered().then == Then::deliver);
  }
  SECTION("and given up after so many crashes of its own, whatever seems to run beside it") {
    const Run run = GENERATE(Run::alone, Run::beside_others);
    for (unsigned lost = 1; lost < max_attempts; ++lost) {
      life.hand_over();
      REQUIRE(life.worker_lost(run).then == Then::requeue);
      CHECK(life.must_run_alone());
    }
    life.hand_over();
    CHECK(life.worker_lost(run).failure == Failure::crashed);
    CHECK(life.attempt() == max_attempts + 1);
  }
}

TEST_CASE("A call that has taken a worker down is not run beside others again") {
  CallLife life(true, 2);
  life.hand_over();
  CHECK_FALSE(life.must_run_alone());
  life.worker_lost(Run::alone);
  CHECK(life.must_run_alone());
}

TEST_CASE("A call that may not be tried again fails with its worker, beside others or alone") {
  CallLife life = GENERATE(CallLife(false, 3), CallLife(true, 0));
  life.hand_over();
  const Step lost = life.worker_lost(GENERATE(Run::alone, Run::beside_others));
  CHECK(lost.then == Then::fail);
  CHECK(lost.failure == Failure::crashed);
  CHECK(life.attempt() == 1);
}

TEST_CASE("A call that was tried again can be stopped and answered like any other") {
  CallLife life(true, 3);
  life.hand_over();
  life.worker_lost(Run::alone);
  life.hand_over();
  SECTION("answered") { CHECK(life.answered().then == Then::deliver); }
  SECTION("stopped, and its worker killed for it") {
    CHECK(life.stop(Failure::deadline, Stop::partial, begun).ask_handler);
    CHECK(life.grace_over().kill_worker);
    const Step lost = life.worker_lost(Run::alone);
    CHECK(lost.then == Then::fail);
    CHECK(lost.failure == Failure::deadline);
  }
  CHECK(life.state() == State::settled);
}

namespace {

// One call, its owner, and what its caller has heard of it.
class History {
 public:
  explicit History(std::mt19937& random)
      : random_(random),
        idempotent_(random() % 2 == 0),
        attempts_(random() % 4),
        life_(idempotent_, attempts_) {}

  bool over() const { return life_.state() == State::settled && random_() % 4 == 0; }

  // Anything may happen at any moment, as far as the slot in shared memory allows it.
  void happen() {
    const State before = life_.state();
    const bool held = before != State::queued && before != State::settled;
    switch (random_() % 8) {
      case 0:
        life_.hand_over();
        if (before == State::queued) has_begun_ = false;
        return;
      case 1:
        if (held && !has_begun_) ++runs_, has_begun_ = true;
        return;
      case 2:
        if (!has_begun_) note(before, life_.taken_back());
        return;
      case 3:
        return note(before, life_.answered());
      case 4:
        return note(before, life_.worker_lost(!has_begun_     ? Run::not_begun
                                              : random_() % 2 ? Run::alone
                                                              : Run::beside_others));
      case 5:
      case 6:
        return note(before, life_.stop(random_() % 2 ? Failure::cancelled : Failure::deadline,
                                       static_cast<Stop>(random_() % 3), has_begun_));
      case 7:
        return note(before, random_() % 8 ? life_.grace_over() : life_.shut_down());
    }
  }

  // Empty while every promise is kept.
  std::string broken() const {
    if (told_ > 1) return "its caller was told twice";
    if (life_.state() == State::settled && told_ != 1) return "its caller was never told";
    if (told_ == 1 && life_.state() != State::settled && life_.state() != State::abandoned)
      return "its caller was told, and it goes on";
    if (runs_ > (idempotent_ && attempts_ > 0 ? attempts_ + 1 : 1))
      return "too many workers began it";
    if (wrong_requeue_) return "it was put back though no worker had it";
    if (life_.attempt() != 1 + tried_again_) return "its attempts are counted wrong";
    if (life_.must_run_alone() != (tried_again_ > 0)) return "it runs beside others again";
    return {};
  }

 private:
  void note(State before, Step step) {
    if (step.then == Then::deliver || step.then == Then::fail) ++told_;
    if (step.then != Then::requeue) return;
    wrong_requeue_ |= before != State::handed_over || life_.state() != State::queued;
    tried_again_ += has_begun_;
    has_begun_ = false;
  }

  std::mt19937& random_;
  const bool idempotent_;
  const unsigned attempts_;
  CallLife life_;
  bool has_begun_ = false;
  bool wrong_requeue_ = false;
  unsigned runs_ = 0, tried_again_ = 0, told_ = 0;
};

}  // namespace

TEST_CASE("Whatever happens to calls, each caller is told once, and no call runs too often") {
  std::mt19937 random(4711);
  std::optional<History> history;
  int calls = 0;
  for (int step = 0; step < 100'000; ++step) {
    if (!history || history->over()) history.emplace(random), ++calls;
    history->happen();
    if (const std::string broken = history->broken(); !broken.empty())
      FAIL("step " << step << ": " << broken);
  }
  CHECK(calls > 5'000);
}
