// The processes of one pool: started, watched, replaced, and ended together.
// Lives on the reactor: all but the constructor and the waits of other threads run there.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bulkhead/detail/contract.hpp"
#include "bulkhead/error.hpp"
#include "bulkhead/pool.hpp"
#include "pool/calls.hpp"
#include "pool/ending.hpp"
#include "pool/restart.hpp"
#include "reactor/reactor.hpp"
#include "reactor/timer.hpp"
#include "worker/fork_server.hpp"
#include "worker/worker_process.hpp"

namespace bulkhead::pool {

class Crew final : public Calls::Listener,
                   public worker::ForkServer::Listener,
                   public worker::WorkerProcess::Listener,
                   public std::enable_shared_from_this<Crew> {
 public:
  struct Plan {
    detail::Contract contract;
    PoolOptions options;
    bool lone = false;  // a single worker that is not replaced
  };

  Crew(Plan plan, const std::shared_ptr<reactor::Reactor>& reactor);

  // --- any thread

  // Waits until every worker is ready or has failed. Throws if none is ready.
  void start();
  ShutdownReport shut_down(std::chrono::milliseconds grace);
  void kill_now();
  Calls& calls() { return *calls_; }
  void fill(PoolStats& stats) const;
  // Of the last worker that ended unasked.
  std::shared_ptr<const CrashReport> last_crash() const;
  pid_t pid() const;  // of the last worker that got ready

 private:
  using Member = Calls::Member;
  using Act = Ending::Act;
  using Clock = std::chrono::steady_clock;
  struct Seat {
    Calls::Worker worker;
    bool decided = false;          // its first start has succeeded or failed
    Clock::time_point start_at{};  // while it is empty: not before
  };

  // starting and restarting (crew.cpp)
  void make_calls();
  void launch_fork_server();
  void fill_seats();
  void fill_seat(Member member);
  void start_again();
  void decided(Member member, std::optional<Error> failure);
  void note_crash(const Error& why);
  void back_off(std::chrono::nanoseconds uptime);
  void give_up_if_broken();
  void vacate(Member member, const Error& why, Clock::time_point start_at);
  void replan(const Error& why);
  std::optional<Member> member_of(worker::WorkerNumber number) const;

  // Calls::Listener
  void worker_violated(Calls::Worker worker, std::string how) override;
  void all_settled() override;
  // ForkServer::Listener
  void fork_server_serves() override;
  void fork_server_ended(std::optional<Error> why) override;
  void worker_started(worker::WorkerNumber number, pid_t pid, platform::Pidfd process) override;
  void worker_not_started(worker::WorkerNumber number, const Error& why) override;
  void worker_reaped(worker::WorkerNumber number, const platform::Ending& ending) override;
  // WorkerProcess::Listener
  void worker_ready(worker::WorkerProcess& worker) override;
  void worker_rang(worker::WorkerProcess& worker) override;
  void worker_ended(worker::WorkerProcess& worker) override;

  // ending (crew_ending.cpp)
  template <class Begin>
  void end_by(Begin begin);
  std::shared_ptr<reactor::Reactor> hold_reactor() const;
  // While calls are still to be run, workers are replaced as ever.
  bool over() const { return ending_.stage() > Ending::Stage::draining; }
  void end(Ending::Step first_step);
  void look();
  void perform(const Ending::Step& step);
  void wake_at(Clock::time_point when);
  void give_up();
  void finish();
  bool any_worker() const;
  void count_end(const worker::WorkerProcess& worker);
  template <class Work>
  void for_each_worker(Work work) {
    for (Member member = 0; member < seats_.size(); ++member)
      if (const auto worker = seats_[member].worker) work(member, *worker);
  }

  const Plan plan_;
  const std::chrono::milliseconds connect_timeout_;
  std::shared_ptr<Calls> calls_;

  // only on the reactor
  std::vector<Seat> seats_;
  std::shared_ptr<worker::ForkServer> fork_server_;
  worker::WorkerNumber last_number_ = 0;
  Restart restart_;
  Clock::time_point next_start_{};               // of a worker after crashes that nothing explains
  std::optional<reactor::Timer> restart_timer_;  // until the end, as the reactor
  std::minstd_rand dice_{std::random_device{}()};
  std::optional<Error> first_failure_;
  bool someone_got_ready_ = false;
  Ending ending_;
  std::optional<reactor::Timer> ending_timer_;
  Clock::time_point ending_since_{};
  bool ending_noted_ = false;
  std::uint64_t completed_before_ = 0, failed_before_ = 0;

  // what other threads wait for
  reactor::Moment started_;
  reactor::Moment ended_;

  mutable std::mutex mutex_;
  // guarded by mutex_
  // Let go of at the end, so that the thread that waits for the end is the last to hold it, and not
  // the reactor's own. What runs on the reactor before that needs no lock to use it.
  std::shared_ptr<reactor::Reactor> reactor_;
  ShutdownReport report_;
  std::shared_ptr<const CrashReport> last_crash_;
  pid_t last_pid_ = 0;
  std::uint64_t crashes_ = 0, restarts_ = 0;
};

}  // namespace bulkhead::pool
