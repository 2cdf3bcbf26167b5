#include "torture/round.hpp"

#include <optional>
#include <string>
#include <thread>

#include "support/pause.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"
#include "torture/board.hpp"
#include "torture/calls.hpp"
#include "torture/chaos.hpp"
#include "torture/reloaders.hpp"

namespace bulkhead::torture {

namespace {

class Run {
 public:
  Run(const Round& round, Findings& findings)
      : round_(round), findings_(findings), chaos_(round_, board_, findings_) {
    board_.shared().threads = round.threads;
  }

  void run() {
    if (round_.begins_with_first)
      board_.order(round_.orders.front().point, round_.orders.front().kind);
    if (!start()) return;
    Callers callers(*pool_, {round_.number, board_, findings_, round_.threads}, round_.seed);
    Reloaders reloaders(*pool_, round_, board_, findings_);
    const auto whole = [&] {
      return pool_->stats().workers == round_.workers && chaos_.looks_whole();
    };
    for (std::size_t at = 0; at < round_.orders.size(); ++at) {
      const bool is_given = at == 0 && round_.begins_with_first;
      if (!findings_.any_violation()) chaos_.carry_out(round_.orders[at], is_given, whole);
    }
    end(callers, reloaders);
  }

  // Once the pool is gone.
  void check() {
    if (!test::wait_until([&] { return !chaos_.anything_lives(); })) wrong("a process is left");
    check_executions(board_, round_.number, findings_);
    for (PointIndex at = 0; at < points.size(); ++at)
      if (board_.withdraw(at)) wrong("nobody came to " + std::string(points[at].name));
    const Shared& shared = board_.shared();
    if (shared.met_unknown_point)
      wrong("there is a fault point " + std::string(shared.unknown_point.data()) +
            " that tests/torture/points.hpp does not have");
    for (std::size_t at = 0; at < shared.death_count; ++at)
      findings_.death(shared.deaths[at].point, shared.deaths[at].kind);
  }

 private:
  void wrong(const std::string& what) { findings_.violation(round_.number, what); }

  // A start may fail when one of its processes was ended; then there is another.
  bool start() {
    auto launch = Launch::self().env(Board::variable, board_.path());
    launch.fresh(round_.way == Way::exec);
    for (int attempt = 0; attempt < 10; ++attempt) try {
        pool_.emplace(PoolOptions{.workers = round_.workers,
                                  .launch = launch,
                                  .spares = round_.spares,
                                  .kill_grace = test::default_watchdog,  // who is slow is no death
                                  .restart = {.count = 0},
                                  .recycle_after_requests = round_.recycled_after});
        return true;
      } catch (const Error& error) {
        if (!error.crash() || !board_.reason_of(error.crash()->pid))
          wrong(std::string("a pool did not start: ") + error.what());
        findings_.count("starts of pools that failed");
      }
    wrong("a pool did not start in ten attempts");
    return false;
  }

  void end(Callers& callers, Reloaders& reloaders) {
    if (round_.end == Round::End::destruction) {
      callers.stop_calling();
      reloaders.finish();
      pool_.reset();
      return callers.finish();
    }
    reloaders.begin_to_finish();
    const ShutdownReport report = pool_->shutdown(std::chrono::seconds(10));
    callers.finish();
    reloaders.finish();
    if (!report.unkillable.empty()) wrong("a process could not be killed");
    const PoolStats stats = pool_->stats();
    if (stats.completed + stats.failed != callers.made() || stats.failed != callers.failed())
      wrong(std::to_string(callers.made()) + " calls were made and " +
            std::to_string(callers.failed()) + " failed, but the pool counted " +
            std::to_string(stats.completed) + " answered and " + std::to_string(stats.failed) +
            " failed");
    pool_.reset();
  }

  const Round& round_;
  Findings& findings_;
  const test::TempDir folder_;
  const Board board_{folder_ / "board"};
  Chaos chaos_;
  std::optional<TorturePool> pool_;
};

}  // namespace

void run_round(const Round& round, Findings& findings) {
  Run run(round, findings);
  run.run();
  run.check();
}

void run_untouched(const std::stop_token& stop, Findings& findings) {
  const test::TempDir folder;
  const Board board(folder / "board");
  board.shared().threads = 1;
  {
    TorturePool pool{{.workers = 2, .launch = Launch::self().env(Board::variable, board.path())}};
    // Little of it is in flight: the memory of the app is looked at meanwhile.
    Callers callers(pool, {0, board, findings, 1, std::chrono::milliseconds(2), 1 << 14}, 0);
    test::pause(stop, std::chrono::hours(24));
    callers.stop_calling();
    callers.finish();
    const PoolStats stats = pool.stats();
    findings.count("calls of the pool that nobody touched", callers.made());
    if (stats.crashes != 0 || stats.restarts != 0)
      findings.violation(
          0, "the pool that nobody touched had " + std::to_string(stats.crashes) + " crashes");
  }
  check_executions(board, 0, findings);
}

}  // namespace bulkhead::torture
