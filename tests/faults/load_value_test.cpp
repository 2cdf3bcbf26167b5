// Calls that fail by themselves, workers that are slow, greedy or hostile: beside calls of others.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "faults/loads.hpp"
#include "platform/proc.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

const Complaints none;

Traffic::Expected fails_with(errc code) {
  return [code](const Error* error) -> std::string {
    if (!error) return "was answered";
    return error->code() == code && !error->crash() ? "" : error->what();
  };
}
Traffic::Expected answered() {
  return [](const Error* error) { return error ? std::string(error->what()) : ""; };
}
// Its worker is ended for it. It may have gone on with other calls of that kind until then.
Traffic::Expected breaks_protocol() {
  return [](const Error* error) -> std::string {
    if (!error) return "was answered";
    const bool right = error->code() == errc::worker_crashed && error->crash() &&
                       error->crash()->cause == Cause::protocol_violation;
    return right ? "" : error->what();
  };
}

PoolOptions options(const Launch& launch = Launch::self()) {
  return {.workers = Traffic::workers, .launch = launch, .restart = {.count = 0}};
}

}  // namespace

// Fault value.throws (idle, one call, many calls)
// Fault value.own-code-throws (idle, one call, many calls)
// Fault value.too-large (idle, one call, many calls)
TEST_CASE("calls that fail by themselves harm neither their workers nor other calls") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  constexpr std::size_t limit = 500'000;
  auto with_limit = options();
  with_limit.max_message = limit;
  TestPool pool{with_limit};
  Traffic traffic(pool, load);
  for (int i = 0; i < (load == Load::many_calls ? 5 : 1); ++i) {
    for (const Thrown thrown : {Thrown::standard, Thrown::other, Thrown::huge, Thrown::binary})
      traffic.add("Throw", pool.run(Throw{thrown}), fails_with(errc::handler_failed));
    for (const Where where : {Where::loading_request, Where::saving_response})
      traffic.add("Trouble", pool.run(Trouble{where}), fails_with(errc::handler_failed));
    for (const Where where : {Where::saving_request, Where::loading_response})
      traffic.add("Trouble", pool.run(Trouble{where}), fails_with(errc::codec_failed));
    traffic.add("Nothing", pool.run(Nothing{}), answered());
    traffic.add("empty Echo", pool.run(Echo{}), answered());
    traffic.add("largest Answer", pool.run(Answer{limit - sizeof(std::uint64_t)}), answered());
    traffic.add("too large Answer", pool.run(Answer{limit}), fails_with(errc::message_too_large));
    traffic.add("too large Echo", pool.run(Echo{std::string(limit, 'x')}),
                fails_with(errc::message_too_large));
  }
  CHECK(traffic.settle({}) == none);
  CHECK(pool.stats().crashes == 0);
}

// Fault value.slow-reader (idle, one call, many calls): a worker reads nothing for a while, and its
// ring is full.
// Then: others answer; nobody waits but its own call.
TEST_CASE("a worker that reads nothing for a while keeps only its own call waiting") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  TestPool pool{options()};
  Traffic traffic(pool, load);
  REQUIRE(::kill(traffic.victim(), SIGSTOP) == 0);
  traffic.mix(20);
  if (load == Load::one_call) CHECK(traffic.answers());
  REQUIRE(::kill(traffic.victim(), SIGCONT) == 0);
  CHECK(traffic.settle({}) == none);
  CHECK(pool.stats().crashes == 0);
}

// Fault hostile.values (idle, one call, many calls)
// Fault hostile.messages (idle, one call, many calls)
TEST_CASE("workers that forge values and messages are ended, and harm no other call") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  TestPool pool{options()};
  Traffic traffic(pool, load);
  for (const Forgery forgery : {Forgery::huge_count, Forgery::bool_of_two, Forgery::wrong_enum,
                                Forgery::deep_nesting, Forgery::cut_short, Forgery::too_long})
    traffic.add("Forge", pool.run(Forge{forgery}), breaks_protocol());
  for (int i = 1; i < static_cast<int>(Message::count); ++i)
    traffic.add("SendForged " + std::to_string(i), pool.run(SendForged{static_cast<Message>(i)}),
                breaks_protocol());
  CHECK(traffic.settle({}) == none);
  CHECK(pool.stats().crashes >= 3);
}

// Fault hostile.greedy (idle, one call, many calls): it takes all of its descriptors, or many
// threads or processes.
// Then: no other worker notices; they end with it.
TEST_CASE("a worker that takes all descriptors, or many threads or processes, ends with them") {
  struct Taking {
    Greed greed;
    std::uint64_t most;
  };
  const Taking taking = GENERATE(values<Taking>(
      {{Greed::descriptors, 1 << 20}, {Greed::threads, 200}, {Greed::processes, 100}}));
  const bool cgroup = GENERATE(true, false);
  const Load load = GENERATE(from_range(all_loads));
  const LeakCheck leaks;
  INFO(static_cast<int>(taking.greed) << ", cgroup " << cgroup << ", " << name(load));
  TestPool pool{options(cgroup ? Launch::self() : Launch::self().env("BULKHEAD_CGROUP", "off"))};
  Traffic traffic(pool, load);
  traffic.add("Grab", pool.run(Grab{taking.greed, taking.most}), answered());
  traffic.mix(10);
  CHECK(traffic.settle({}) == none);
  CHECK(pool.stats().crashes == 0);
  for (const pid_t pid : traffic.all()) REQUIRE(::kill(pid, SIGKILL) == 0);
  CHECK(traffic.answers());
}

// Fault host.several-pools (idle, one call, many calls)
TEST_CASE("what goes wrong in one pool is noticed in no other") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  TestPool bystander{options()}, troubled{options()};
  auto lone = TestWorker::start();
  Pool<SecondService> second{{.workers = 1}};
  Traffic undisturbed(bystander, load), disturbed(troubled, load);
  undisturbed.add("Nest", bystander.run(Nest{2}), answered());
  REQUIRE(::kill(disturbed.victim(), SIGKILL) == 0);
  CHECK(disturbed.answers());
  const Fate fate{.died = {disturbed.victim()}, .signal = SIGKILL};
  CHECK(disturbed.settle(fate) == none);
  disturbed.kill_fork_server();
  CHECK(disturbed.answers());
  if (load != Load::many_calls) CHECK(undisturbed.answers());
  CHECK(undisturbed.settle({}) == none);
  CHECK(bystander.stats().crashes == 0);
  CHECK(value_of(lone.run(Echo{"lone"})) == "lone");
  CHECK(value_of(second.run(Echo{"lone"})) == "second lone");
}

// Fault host.interrupted (idle, one call, many calls): somebody presses Ctrl-C.
// Then: the app gets the SIGINT, and its workers do not: the app decides.
TEST_CASE("an interrupt at the terminal reaches the app, and not its workers") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  const int status = in_child([&] {
    expect(::setpgid(0, 0) == 0);
    ::signal(SIGINT, SIG_IGN);
    TestPool pool{options()};
    Traffic traffic(pool, load);
    expect(::kill(0, SIGINT) == 0);
    for (const auto& complaint : traffic.settle({})) expect(false, complaint);
    expect(pool.stats().crashes == 0);
  });
  CHECK(status == 0);
}
