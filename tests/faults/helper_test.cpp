// Processes that workers start: whatever they do, they end with their worker.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <optional>

#include "faults/calls.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "process/tree.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

constexpr Helper all_helpers[] = {Helper::child, Helper::own_session, Helper::grandchild};

// With cgroups, where the system has them, and without.
Launch launch(bool cgroup) {
  return cgroup ? Launch::self() : Launch::self().env("BULKHEAD_CGROUP", "off");
}

// When its last parent reaps it is not ours to say.
bool gone(pid_t pid) {
  const std::string line = platform::read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto stat = platform::parse_process_stat(line);
  return !stat || stat->state == 'Z';
}

bool cgroups_work() {
  const int status = in_child([] {
    if (process::Trees().mechanism() != process::Mechanism::cgroup) platform::exit_now(1);
  });
  return status == 0;
}

template <class Workers>
std::vector<pid_t> start_helpers(Workers& workers) {
  std::vector<pid_t> helpers;
  for (const Helper helper : all_helpers) helpers.push_back(value_of(workers.run(Start{helper})));
  for (const pid_t helper : helpers) REQUIRE_FALSE(gone(helper));
  return helpers;
}

void check_gone(const std::vector<pid_t>& helpers) {
  for (const pid_t helper : helpers) CHECK(wait_until([&] { return gone(helper); }));
}

}  // namespace

// Fault end.helpers (idle)
TEST_CASE("what a worker started ends when it crashes, and the crash is told at once") {
  for (const bool cgroup : {true, false}) {
    const LeakCheck leaks;
    INFO("cgroup: " << cgroup);
    TestPool pool{{.workers = 1, .launch = launch(cgroup)}};
    const auto helpers = start_helpers(pool);
    const Error error = error_of(pool.run(Die{Death::abort}));
    CHECK(error.code() == errc::worker_crashed);
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
    check_gone(helpers);
  }
}

// Fault end.helpers (idle)
TEST_CASE("what a worker started ends when it leaves") {
  for (const bool cgroup : {true, false}) {
    const LeakCheck leaks;
    INFO("cgroup: " << cgroup);
    auto worker = TestWorker::start({.launch = launch(cgroup)});
    const auto helpers = start_helpers(worker);
    CHECK(worker.shutdown().workers_left == 1);
    for (const pid_t helper : helpers) CHECK(gone(helper));
  }
}

// Fault end.helpers (idle)
TEST_CASE("what a worker started ends when its pool is destroyed") {
  for (const bool cgroup : {true, false}) {
    const LeakCheck leaks;
    INFO("cgroup: " << cgroup);
    std::optional<TestPool> pool(PoolOptions{.workers = 2, .launch = launch(cgroup)});
    auto helpers = start_helpers(*pool);
    const auto more = start_helpers(*pool);
    helpers.insert(helpers.end(), more.begin(), more.end());
    pool.reset();
    for (const pid_t helper : helpers) CHECK(gone(helper));
  }
}

// Fault end.helpers (one call)
TEST_CASE("what a worker started ends with it, and not what others started") {
  for (const bool cgroup : {true, false}) {
    const LeakCheck leaks;
    INFO("cgroup: " << cgroup);
    const Gate gate;
    TestPool pool{{.workers = 2, .launch = launch(cgroup)}};
    // The first worker is kept busy while the other starts helpers, and the other way round.
    auto first = pool.run(gate.call("first"));
    const pid_t pid = gate.runner("first");
    const auto others = start_helpers(pool);
    REQUIRE(::kill(pid, SIGKILL) == 0);
    CHECK(error_of(std::move(first)).code() == errc::worker_crashed);
    REQUIRE(wait_until([&] { return pool.stats().workers == 2; }));
    for (const pid_t helper : others) CHECK_FALSE(gone(helper));
  }
}

// Fault end.helpers (idle)
TEST_CASE("what a worker started ends when the fork server is killed") {
  const LeakCheck leaks;
  if (!cgroups_work()) {
    WARN("without cgroups nobody is left who knows of it");
    return;
  }
  TestPool pool{{.workers = 1}};
  const auto helpers = start_helpers(pool);
  REQUIRE(::kill(value_of(pool.run(LookAround{})).parent, SIGKILL) == 0);
  check_gone(helpers);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
}

// Fault end.helpers (idle)
TEST_CASE("without a cgroup what left its session may outlive a killed fork server, as is told") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .launch = launch(false)}};
  CHECK(pool.containment().tree.how ==
        "subreaper: who forks fast, or whose fork server is killed, may escape");
  const View worker = value_of(pool.run(LookAround{}));
  const auto helpers = start_helpers(pool);
  REQUIRE(::kill(worker.parent, SIGKILL) == 0);
  CHECK(wait_until([&] { return gone(worker.pid); }));
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK_FALSE(gone(helpers.at(1)));
  for (const pid_t helper : helpers) ::kill(helper, SIGKILL);  // those that live
  check_gone(helpers);
}

// Fault end.helpers (idle)
TEST_CASE("a worker that ends without a word while its helper lives has ended") {
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  const auto helpers = start_helpers(worker);
  const Error error = error_of(worker.run(Die{Death::exit_0}));
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->status == ExitStatus{.code = 0});
  check_gone(helpers);
}
