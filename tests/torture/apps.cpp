#include "torture/apps.hpp"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "platform/proc.hpp"
#include "process/spawn.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::torture {

namespace {

using Clock = std::chrono::steady_clock;

// Where an application is met by its end.
struct Stage {
  std::string_view name;
  std::string_view app;     // of those in app_main.cpp
  std::string_view fault;   // BULKHEAD_FAULT
  bool by_itself = false;   // the fault kills it; else a signal does, from outside:
  bool once_ready = false;  // not before it says that it is ready
  unsigned within_ms = 0;   // then after a random time up to this
};

constexpr std::array stages{
    Stage{"starting", "live", "", false, false, 40},
    Stage{"a segment was made", "live", "app.before_lock:1:kill", true},
    Stage{"another segment was made", "live", "app.before_lock:2:kill", true},
    Stage{"its fork server was launched", "live", "app.after_launch:1:kill", true},
    Stage{"its fork server has greeted", "live", "app.after_greeting:1:kill", true},
    Stage{"its fork server starts", "live", "fork_server.before_serving:1:stall", false, false, 60},
    Stage{"a worker is about to be ordered", "live", "app.before_order:1:kill", true},
    Stage{"a worker was ordered", "live", "app.after_order:1:kill", true},
    Stage{"two workers were ordered", "live", "app.after_order:2:kill", true},
    Stage{"a worker starts", "live", "worker.before_ready:1:stall", false, false, 60},
    Stage{"a worker is ready", "live", "app.before_unlink:1:kill", true},
    Stage{"two workers are ready", "live", "app.before_unlink:2:kill", true},
    Stage{"calls run", "run_calls", "", false, true, 20},
    Stage{"a large request is half sent", "run_calls", "app.mid_request:3:kill", true},
    Stage{"a buffer that a worker needs is to be passed", "run_calls", "app.before_giving:2:kill",
          true},
    Stage{"a large answer has half come", "run_calls", "app.mid_response:3:kill", true},
    Stage{"a buffer of a worker's has come", "run_calls", "app.before_mapping:2:kill", true},
    Stage{"answers are about to be delivered", "run_calls", "app.before_delivery:50:kill", true},
    Stage{"it reloads", "reload", "", false, true, 80},
    Stage{"it reloads, and has launched", "reload", "app.after_launch:2:kill", true},
    Stage{"it reloads: the new fork server starts", "reload_into_faults",
          "fork_server.before_serving:1:stall", false, true, 60},
    Stage{"it reloads: a new worker is about to be ordered", "reload", "app.before_order:3:kill",
          true},
    Stage{"it reloads: a new worker was ordered", "reload", "app.after_order:3:kill", true},
    Stage{"it reloads: a new worker starts", "reload_into_faults", "worker.before_ready:1:stall",
          false, true, 60},
    Stage{"it reloads: a new worker is ready", "reload", "app.before_unlink:3:kill", true},
    Stage{"it reloads: an old worker leaves", "reload", "worker.before_leaving:1:stall", false,
          true, 60},
    Stage{"it reloads: the old fork server is to leave", "reload", "app.before_close:1:kill", true},
    Stage{"it shuts down", "shut_down", "", false, true, 60},
    Stage{"its workers are about to be asked to leave", "live", "app.before_asking_to_leave:1:kill",
          true},
    Stage{"its workers leave", "live", "worker.before_leaving:1:stall", false, true, 30},
    Stage{"it is about to close its fork server", "live", "app.before_close:1:kill", true},
    Stage{"it destroys a pool", "destroy", "", false, true, 20},
    Stage{"it destroys a pool, and is about to close", "destroy", "app.before_close:1:kill", true},
    Stage{"from one to the next", "live", "", false, true, 200},
};

class App {
 public:
  explicit App(const Stage& stage)
      : child_(process::spawn(
            {.path = "/proc/self/exe",
             .arguments = {"torture", "--app", std::string(stage.app), folder_.path()},
             .environment = process::make_environment(
                 platform::environment(), {{"BULKHEAD_FAULT", std::string(stage.fault)}}),
             .descriptors = {{2, 2}},
             .new_session = true})) {}
  ~App() {
    child_.pidfd.signal(SIGKILL);
    child_.pidfd.reap(true);
  }
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  bool await_ready() const {
    return test::wait_until([&] { return std::filesystem::exists(folder_ / "ready"); });
  }
  void tell_to_end() const { std::ofstream(folder_ / "end").put('\n'); }
  bool ends_within(std::chrono::milliseconds time) const { return child_.pidfd.wait_ended(time); }
  void kill() const { child_.pidfd.signal(SIGKILL); }
  // Its signal, 0 if it exited, empty if it lives on.
  std::optional<int> ending() const {
    if (!child_.pidfd.wait_ended(test::default_watchdog)) return std::nullopt;
    const auto ending = child_.pidfd.reap(true).value();
    return ending.how == platform::Ending::How::exited ? 0 : ending.status;
  }

 private:
  const test::TempDir folder_;
  const process::Child child_;
};

void kill_one(const Stage& stage, std::mt19937_64& dice, const test::Leftovers& leftovers,
              Findings& findings) {
  const auto wrong = [&](const std::string& what) {
    findings.violation(0, "an app that was killed when " + std::string(stage.name) + ": " + what);
  };
  const App app(stage);
  if (stage.once_ready && !app.await_ready()) return wrong("it does not get ready");
  if (!stage.by_itself) {
    if (app.ends_within(std::chrono::milliseconds(dice() % stage.within_ms)))
      return wrong("it ended by itself");
    app.kill();
  }
  auto died = Clock::now();
  if (app.ending() != SIGKILL) return wrong("it was not killed");
  if (stage.by_itself) died = Clock::now();
  if (!test::wait_until([&] { return leftovers.processes_now().empty(); }))
    return wrong("left after 20 s:" + leftovers.processes_now());
  findings.app_to_nothing.add(Clock::now() - died);
}

}  // namespace

void run_next_app(Findings& findings) {
  const App next(Stage{.name = "next", .app = "live", .fault = ""});
  const bool works = next.await_ready();
  next.tell_to_end();
  if (!works || next.ending() != 0) findings.violation(0, "an app that nobody kills does not work");
}

void kill_apps(std::uint64_t seed, std::size_t count, const test::Leftovers& leftovers,
               Findings& findings) {
  std::mt19937_64 dice(seed);
  for (std::size_t i = 0; i < count && !findings.any_violation(); ++i) {
    const Stage& stage = stages[(seed + i) % stages.size()];
    findings.count("apps killed: " + std::string(stage.name));
    kill_one(stage, dice, leftovers, findings);
  }
  if (count == 0) return;
  run_next_app(findings);
  const auto bound = std::chrono::seconds(1) + findings.machine.longest();
  if (findings.app_to_nothing.longest() > bound)
    findings.violation(0,
                       "something of a killed app was left longer than 1 s and what the "
                       "machine needs to end a process");
}

}  // namespace bulkhead::torture
