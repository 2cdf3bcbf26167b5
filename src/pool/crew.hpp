// The processes of one pool: started, watched, replaced, and ended together.
// Lives on the reactor: all but the constructor and the waits of other threads run there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bulkhead/detail/contract.hpp"
#include "bulkhead/detail/worker_set.hpp"
#include "bulkhead/error.hpp"
#include "bulkhead/pool.hpp"
#include "pool/beats.hpp"
#include "pool/calls.hpp"
#include "pool/ending.hpp"
#include "pool/events.hpp"
#include "pool/reload.hpp"
#include "pool/restart.hpp"
#include "pool/roster.hpp"
#include "pool/size.hpp"
#include "pool/timers.hpp"
#include "pool/wear.hpp"
#include "process/spawn.hpp"
#include "reactor/reactor.hpp"
#include "worker/line_rate.hpp"
#include "worker/source.hpp"
#include "worker/thread_server.hpp"
#include "worker/worker_process.hpp"

namespace bulkhead::pool {

class Crew final : public detail::Start,
                   public Calls::Listener,
                   public worker::Source::Listener,
                   public worker::WorkerProcess::Listener,
                   public std::enable_shared_from_this<Crew> {
 public:
  struct Plan {
    detail::Contract contract;
    PoolOptions options;
    bool lone = false;  // a single worker that is not replaced
    // Of workers that are threads of this process; they are processes where this is empty.
    std::optional<worker::Handlers> in_process = {};
  };

  // `events`: null if nobody wants to hear of them.
  static std::shared_ptr<Crew> make(Plan plan, const std::shared_ptr<reactor::Reactor>& reactor,
                                    std::shared_ptr<Events> events);

  // --- any thread

  // Waits until every worker is ready or has failed. Throws if none is ready.
  void start();
  // The same without waiting. `told`, on the reactor: why none is ready, when nothing is left.
  using ToldStart = std::function<void(std::optional<Error>)>;
  void start(ToldStart told);
  void call_off() override;
  // Waits until no worker of the present program is left. Throws what keeps the new one from
  // starting. Those who come while another reload runs share the one after it.
  void reload();
  ShutdownReport shut_down(std::chrono::milliseconds grace);
  // The same without waiting. `told`, on the reactor or, where it has ended, at once.
  using ToldShutdown = std::function<void(ShutdownReport)>;
  void shut_down(std::chrono::milliseconds grace, ToldShutdown told);
  void kill_now();
  Calls& calls() { return *calls_; }
  void fill(PoolStats& stats) const;
  // Of the last worker that ended unasked.
  std::shared_ptr<const CrashReport> last_crash() const;
  pid_t pid() const;  // of the last worker that got ready
  // By the last program that served.
  Containment containment() const;

 private:
  using Member = Calls::Member;
  using Act = Ending::Act;
  using Clock = std::chrono::steady_clock;
  using SourcePtr = std::shared_ptr<worker::Source>;
  enum class Duty {
    staff,      // one of the workers that there are to be, spares included
    candidate,  // started beside them by a reload, until it is ready
    relief,     // started beside them for one that is worn, until it is ready
    leaving,    // asked to leave, or turned away, while the others go on
  };
  // Some more than there are to be staff, for those that come and go.
  struct Seat {
    Calls::Worker worker;
    Duty duty = Duty::staff;
    bool decided = false;           // its first start has succeeded or failed
    std::optional<Wear> wear = {};  // since it is ready
    bool worn = false;              // it is to be replaced
    Beats beats = {};
    bool is(Duty what) const { return worker && duty == what; }
  };
  struct Reloading {  // what a thread in reload() waits for
    std::optional<Error> failure;
    reactor::Moment done;
  };

  Crew(Plan plan, const std::shared_ptr<reactor::Reactor>& reactor, std::shared_ptr<Events> events);

  std::size_t staff_to_be() const { return size_.now() + plan_.options.spares; }
  std::size_t most_staff() const { return plan_.options.workers + plan_.options.spares; }

  // starting (crew.cpp)
  void make_calls();
  SourcePtr launch();
  SourcePtr launch_any();
  void launch_source();
  void program_decided(std::optional<Error> failure);
  void all_decided();
  void fill_openings();
  Member free_seat() const;
  void start_worker(const SourcePtr& source, Duty duty);
  void start_again();
  void start_due();
  bool call_up();
  void decided(Member member, std::optional<Error> failure);
  std::optional<Member> member_of(worker::WorkerNumber number) const;

  // replacing (crew_replacing.cpp)
  void note_crash(const Error& why);
  void note_end(Cause cause);
  void back_off(std::chrono::nanoseconds uptime);
  void give_up_if_broken();
  void vacate(Member member, const Error& why, Clock::time_point start_at);
  void set_back(const Error& why);
  void replan(const Error& why);

  // Calls::Listener (crew_calls.cpp)
  void worker_violated(Calls::Worker worker, std::string how) override;
  void worker_spent(Calls::Worker worker) override;
  void all_settled() override;
  void rounds_are_due() override;
  void deadline_ahead(Clock::time_point when) override;
  void worker_overdue(Calls::Worker worker, Cause why) override;
  bool progress_came(const std::shared_ptr<detail::Call>& call) override;
  void look_at_deadlines(Clock::time_point when);
  void make_rounds();
  // Source::Listener
  void source_serves(worker::Source& source) override;
  void source_ended(worker::Source& source, std::optional<Error> why) override;
  void worker_started(worker::WorkerNumber number, pid_t pid, platform::Pidfd process) override;
  void worker_not_started(worker::WorkerNumber number, const Error& why) override;
  void worker_reaped(worker::WorkerNumber number, const platform::Ending& ending) override;
  // WorkerProcess::Listener
  void worker_ready(worker::WorkerProcess& worker) override;
  void worker_rang(worker::WorkerProcess& worker) override;
  void worker_ended(worker::WorkerProcess& worker) override;
  void worker_wrote(worker::WorkerProcess& worker, int number, std::string_view line) override;

  // growing and shrinking (crew_size.cpp)
  std::size_t count(Duty duty) const;
  bool has_room_beside() const;
  void calls_wait() override;
  void grow_soon();
  void grow();
  std::size_t coming() const;
  void look_for_idle();
  void shrink();
  void settle_surplus();
  void let_go(Member member, Cause why);

  // recycling (crew_recycling.cpp)
  void begin_wear(Member member);
  void worker_worn(Calls::Worker worker) override;
  void work_was_done() override;
  void look_at_memory();
  void look_at_age();
  void wear_out(Member member);
  void recycle();
  void recycle_later();
  void relief_ready(Member member);

  // beating (crew_beats.cpp)
  void look_at_beats();
  void look_at_beats_of(Seat& seat);

  // telling (crew_events.cpp)
  void tell(EventKind kind, const worker::WorkerProcess& worker);
  void tell_end(const worker::WorkerProcess& worker, Duty duty, bool explained,
                const std::shared_ptr<const CrashReport>& report, const Error& why);
  void tell(Event&& event);

  // reloading (crew_reload.cpp)
  void begin_reload();
  void candidate_ready(Member member);
  void proceed_with_reload();
  Reload::View view() const;
  void perform(Reload::Act act);
  void take_over();
  void retire_one();
  void fail_reload(const Error& why);
  void finish_reload(const std::optional<Error>& why);
  void close_idle_sources();

  // telling instead of keeping a thread waiting (crew_telling.cpp)
  void begin_start(ToldStart told);
  void start_decided();
  void tell_start(std::optional<Error> why);
  Error why_not_started() const;
  ShutdownReport report() const;

  // ending (crew_ending.cpp)
  template <class Begin>
  void end_by(Begin begin);
  std::shared_ptr<reactor::Reactor> hold_reactor() const;
  Error shut_down_error() const;
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
  const process::Program program_;  // as the caller's thread saw the environment
  const std::chrono::milliseconds connect_timeout_;
  const Wear::Limits wear_limits_;
  const std::shared_ptr<Events> events_;
  std::shared_ptr<Calls> calls_;

  // only on the reactor
  Size size_;
  std::vector<Seat> seats_;
  Roster roster_;  // of the staff that is ready
  // Staff that is missing: each is not to be started before its time. With the seats on duty as
  // staff they are as many as there are to be.
  std::vector<Clock::time_point> openings_;
  std::vector<SourcePtr> sources_;  // all that have not ended
  SourcePtr source_;                // of new workers; empty: it is to be launched
  SourcePtr next_source_;  // while a reload runs: its own, the source once it has taken over
  worker::WorkerNumber last_number_ = 0;
  Restart restart_;
  worker::LineRate line_rate_;      // of what workers write into the log
  Clock::time_point next_start_{};  // of a worker after crashes that nothing explains
  std::minstd_rand dice_{std::random_device{}()};
  std::optional<Error> first_failure_;
  bool program_decided_ = false;
  bool someone_got_ready_ = false;
  bool told_broken_ = false;
  ToldStart told_start_;
  bool called_off_ = false;
  Reload reload_;
  std::vector<std::shared_ptr<Reloading>> reloading_, to_reload_;  // served now; by the next reload
  Ending ending_;
  std::optional<Timers> timers_;                // until the end, as the reactor
  std::optional<Clock::time_point> next_look_;  // what it is set to
  Clock::time_point ending_since_{};
  bool ending_noted_ = false;
  std::uint64_t completed_before_ = 0, failed_before_ = 0;

  // what other threads wait for, or are told of
  reactor::Moment started_;
  reactor::Moment ended_;

  mutable std::mutex mutex_;
  // guarded by mutex_
  // Let go of at the end, so that the thread that waits for the end is the last to hold it, and not
  // the reactor's own. What runs on the reactor before that needs no lock to use it.
  std::shared_ptr<reactor::Reactor> reactor_;
  ShutdownReport report_;
  std::shared_ptr<const CrashReport> last_crash_;
  Containment containment_;
  pid_t last_pid_ = 0;
  std::uint64_t crashes_ = 0, restarts_ = 0, recycled_ = 0;
  std::map<Cause, std::uint64_t> ends_;
};

}  // namespace bulkhead::pool
