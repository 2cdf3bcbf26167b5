// Starts that fail while a pool has other things to do: of workers that replace others, of the fork
// server. What runs in other workers goes on; what waits is answered when the cause is gone.
#include <sched.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <memory>

#include "faults/loads.hpp"
#include "faults/service/handlers.hpp"
#include "platform/host.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

const Complaints none;

// A program file that may be replaced while the pool runs.
class ProgramFile {
 public:
  ProgramFile() { mend(); }
  Launch launch() const { return Launch::executable(file_); }
  void mend() { runs(TEST_WORKER); }
  void runs(const std::string& command) { says("#!/bin/sh\nexec " + command + "\n", 0755); }
  void says(const std::string& text, mode_t mode) {
    std::ofstream(draft_) << text << std::flush;
    ::chmod(draft_.c_str(), mode);
    std::filesystem::rename(draft_, file_);
  }
  void remove() { std::filesystem::remove(file_); }

 private:
  TempDir folder_;
  std::filesystem::path file_ = folder_ / "program", draft_ = folder_ / "draft";
};

// What the library has to say, for as long as this lives.
class Heard {
 public:
  Heard() { set_logger(std::make_shared<spdlog::logger>("heard", sink_)); }
  ~Heard() { set_logger(std::make_shared<spdlog::logger>("nobody")); }
  Heard(const Heard&) = delete;
  Heard& operator=(const Heard&) = delete;

  bool mentioned(const std::string& words) const {
    const auto lines = sink_->last_formatted();
    return std::any_of(lines.begin(), lines.end(),
                       [&](auto& line) { return line.find(words) != line.npos; });
  }

 private:
  using Sink = spdlog::sinks::ringbuffer_sink_mt;
  const std::shared_ptr<Sink> sink_ = std::make_shared<Sink>(1000);
};

struct Broken {
  const char* what;
  void (*how)(ProgramFile& file);
  const char* told;
  bool in_time = true;  // its failure is seen at once, not at the timeout
};

PoolOptions options(const Launch& launch, bool in_time) {
  return {.workers = Traffic::workers,
          .launch = launch,
          .connect_timeout = in_time ? 20'000ms : 1000ms,
          .restart = {.count = 0}};
}

std::string own() { return platform::own_executable(); }
std::string strange(const std::string& how) { return STRANGE_WORKER + (" " + how); }
std::string other(const std::string& contract) { return TEST_WORKER + (" " + contract); }

// What the file of the program has become when a fork server is to be started again.
const std::vector<Broken> broken_programs = {
    {"is not there", [](auto& file) { file.remove(); }, "No such file"},
    {"may not be executed", [](auto& file) { file.says("#!/bin/sh\n", 0644); },
     "Permission denied"},
    {"is no program", [](auto& file) { file.says("nothing\n", 0755); }, "Exec format error"},
    {"lacks its library", [](auto& file) { file.runs(NEEDS_LIBRARY); }, "libvanished_library.so"},
    {"does nothing", [](auto& file) { file.runs("true"); }, "exited with code 0 before"},
    {"reads its input", [](auto& file) { file.says("#!/bin/sh\ncat\nexit 4\n", 0755); },
     "exited with code 4 before"},
    {"kills itself", [](auto& file) { file.says("#!/bin/sh\nkill -ABRT $$\n", 0755); },
     "died of SIGABRT before it was ready"},
    {"speaks another protocol", [](auto& file) { file.runs(strange("protocol 77")); },
     "protocol 77"},
    {"sends garbage", [](auto& file) { file.runs(strange("garbage")); }, "no Bulkhead worker"},
    {"sends half a greeting", [](auto& file) { file.runs(strange("cut")); }, "no Bulkhead worker"},
    {"babbles", [](auto& file) { file.runs(strange("babble")); }, "sent what none sends"},
    {"is of another version", [](auto& file) { file.runs(other("newer")); }, "test version 7"},
    {"serves another list", [](auto& file) { file.runs(other("shorter")); }, "(requests: Echo)"},
    {"serves another service", [](auto& file) { file.runs(other("other")); }, "serves other"},
    {"forgets to serve", [](auto& file) { file.runs("env TEST_FORGETFUL=/dev/null " + own()); },
     "did not serve it"},
    {"waits", [](auto& file) { file.runs("sleep 1000"); }, "was not ready within", false},
    {"is silent", [](auto& file) { file.runs(strange("silent")); }, "was not ready within", false},
};

}  // namespace

// Fault start.program (one call, many calls)
// Fault start.no-worker (one call, many calls)
// Fault start.not-served (one call, many calls)
// Fault start.mismatch (one call, many calls)
TEST_CASE("a program that is broken when it is started again is started again when it is whole") {
  const LeakCheck leaks;
  const Load load = GENERATE(Load::one_call, Load::many_calls);
  struct Row {
    explicit Row(const Broken& how, Load load)
        : broken(how), pool(options(program.launch(), how.in_time)), traffic(pool, load) {}
    const Broken& broken;
    ProgramFile program;
    TestPool pool;
    Traffic traffic;
    Future<int> waiting;
  };
  // All of them at once, so that they wait together.
  std::vector<std::unique_ptr<Row>> rows;
  for (const Broken& broken : broken_programs) rows.push_back(std::make_unique<Row>(broken, load));
  const Heard heard;
  for (auto& row : rows) {
    row->broken.how(row->program);
    row->traffic.kill_fork_server();
    row->waiting = row->pool.run(Add{1, 2});
  }
  for (auto& row : rows) {
    INFO("the program " << row->broken.what << ", " << name(load));
    CHECK(wait_until([&] { return heard.mentioned(row->broken.told); }));
    CHECK_FALSE(row->waiting.ready());
    row->program.mend();
  }
  for (auto& row : rows) {
    INFO("the program " << row->broken.what << ", " << name(load));
    CHECK(value_of(std::move(row->waiting)) == 3);
    const Fate lost{.died = row->traffic.all(), .cause = Cause::fork_server_lost};
    CHECK(row->traffic.settle(lost) == none);
  }
}

// Fault start.program (one call, many calls)
TEST_CASE("a pool whose program does not start again gives up, and says why") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  ProgramFile program;
  TestPool pool{{.workers = Traffic::workers, .launch = program.launch(), .restart = {.count = 1}}};
  Traffic traffic(pool, load);
  program.remove();
  traffic.kill_fork_server();
  CHECK(error_of(pool.run(Add{1, 2})).code() == errc::restart_limit);
  CHECK(traffic.settle_over({.died = traffic.all(), .unanswered = errc::restart_limit}) == none);
}

// Fault start.replaced-program (idle, one call, many calls)
TEST_CASE("a program whose file is gone or another goes on to be restarted as it is") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  const bool fresh = GENERATE(false, true);
  INFO((fresh ? "executed, " : "forked, ") << name(load));
  ProgramFile program;
  TestPool pool{{.workers = Traffic::workers, .launch = program.launch().fresh(fresh)}};
  Traffic traffic(pool, load);
  if (fresh)
    program.remove();
  else
    program.says("nothing to execute\n", 0644);
  REQUIRE(::kill(traffic.victim(), SIGKILL) == 0);
  CHECK(traffic.answers());
  CHECK(traffic.settle({.died = {traffic.victim()}, .signal = SIGKILL}) == none);
}

// Fault start.descriptors (idle, one call, many calls)
TEST_CASE("an app that has no descriptor left for another worker goes on with those it has") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  TestPool pool{{.workers = Traffic::workers, .restart = {.count = 0}}};
  Traffic traffic(pool, load);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low = before;
  low.rlim_cur = 3;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  REQUIRE(::kill(traffic.victim(), SIGKILL) == 0);
  const bool failed = wait_until([&] { return pool.stats().crashes >= 2; });
  const bool answers = load == Load::many_calls || traffic.answers();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(failed);
  CHECK(answers);
  CHECK(traffic.settle({.died = {traffic.victim()}}) == none);
}

// Fault start.memory (idle, one call, many calls)
TEST_CASE("an app that has no shared memory left for another worker goes on with those it has") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  constexpr int not_permitted = 77;
  const int status = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      ::_exit(not_permitted);
    TestPool pool{{.workers = Traffic::workers, .restart = {.count = 0}}};
    Traffic traffic(pool, load);
    expect(::mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64k") == 0);
    ::kill(traffic.victim(), SIGKILL);
    expect(wait_until([&] { return pool.stats().crashes >= 2; }));
    if (load != Load::many_calls) expect(traffic.answers());
    // Not while somebody tries again.
    expect(wait_until([] { return ::umount("/dev/shm") == 0; }));
    for (const auto& complaint : traffic.settle({.died = {traffic.victim()}}))
      expect(false, complaint);
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == not_permitted)
    WARN("this user may not mount: not tested");
  else
    CHECK(status == 0);
}

#ifdef BULKHEAD_FAULT_POINTS

namespace {

struct Fault {
  const char* setting;
  bool executed = false;  // met by workers that are executed only
  bool in_time = true;
};
// What every worker meets that is started from now on.
const std::vector<Fault> at_start = {
    {"worker.after_fork:1:kill"},
    {"worker.after_exec:1:kill", true},
    {"worker.before_open:1:kill"},
    {"worker.after_open:1:kill"},
    {"worker.before_ready:1:kill"},
    {"worker.before_ready:1:signal=11", true},
    {"worker.before_ready:1:exit=3"},
    {"fork:*:errno=11"},
    {"fork:*:errno=12"},
    {"spawn:*:errno=11", true},
    {"worker.after_open:1:stall", false, false},
};

}  // namespace

// Fault start.dies (idle, one call, many calls)
// Fault start.slow (idle, one call, many calls)
// Fault start.no-process (idle, one call, many calls)
TEST_CASE("a worker that cannot be replaced is replaced once it can, and nobody else notices") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  struct Row {
    explicit Row(const Fault& met, Load load)
        : fault(met), pool(options(launch(), met.in_time)), traffic(pool, load) {}
    Launch launch() const {
      return Launch::self().env("BULKHEAD_FAULT", "@" + faults.string()).fresh(fault.executed);
    }
    const Fault& fault;
    TempDir folder;
    std::filesystem::path faults = folder / "faults";
    TestPool pool;
    Traffic traffic;
  };
  std::vector<std::unique_ptr<Row>> rows;
  for (const Fault& fault : at_start) rows.push_back(std::make_unique<Row>(fault, load));
  for (auto& row : rows) {
    put(row->faults, row->fault.setting);
    REQUIRE(::kill(row->traffic.victim(), SIGKILL) == 0);
  }
  for (auto& row : rows) {
    INFO(row->fault.setting << ", " << name(load));
    REQUIRE(wait_until([&] { return row->pool.stats().crashes >= 2; }));
    std::filesystem::remove(row->faults);
  }
  for (auto& row : rows) {
    INFO(row->fault.setting << ", " << name(load));
    CHECK(row->traffic.answers());
    const Fate lost{.died = {row->traffic.victim()}, .signal = SIGKILL};
    CHECK(row->traffic.settle(lost) == none);
  }
}

// Fault start.no-process (idle)
// Fault start.some (idle)
TEST_CASE("a pool of which some workers cannot be forked begins with the others") {
  const LeakCheck leaks;
  for (const int error : {EAGAIN, ENOMEM}) {
    const auto fault = "fork:2:errno=" + std::to_string(error);
    TestPool pool{{.workers = 3, .launch = Launch::self().env("BULKHEAD_FAULT", fault)}};
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
    CHECK(wait_until([&] { return pool.stats().workers == 3; }));
    CHECK(pool.stats().crashes == 1);

    const auto never =
        Launch::self().env("BULKHEAD_FAULT", "fork:*:errno=" + std::to_string(error));
    const Error why = start_error_of([&] { return TestPool({.workers = 3, .launch = never}); });
    INFO(why.what());
    CHECK(why.code() == errc::start_failed);
    CHECK(why.system() == std::error_code(error, std::generic_category()));
  }
}

#endif
