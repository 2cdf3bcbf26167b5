// The calls of one pool: those that wait, those that workers have, and who receives the answers.
// Thread safe. What the workers' processes are up to is the crew's business (crew.hpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bulkhead/detail/call.hpp"
#include "bulkhead/error.hpp"
#include "bulkhead/pool.hpp"
#include "platform/home_process.hpp"
#include "platform/mutex.hpp"
#include "pool/deadlines.hpp"
#include "pool/events.hpp"
#include "pool/flow.hpp"
#include "pool/keys.hpp"
#include "pool/latencies.hpp"
#include "pool/quarantine.hpp"
#include "pool/queue.hpp"
#include "pool/schedule.hpp"
#include "rpc/open_call.hpp"
#include "rpc/receive_role.hpp"
#include "worker/worker_process.hpp"

namespace bulkhead::pool {

class Calls : public detail::AnswerSource, public std::enable_shared_from_this<Calls> {
 public:
  using Clock = std::chrono::steady_clock;
  using Member = Schedule::Member;
  using Worker = std::shared_ptr<worker::WorkerProcess>;

  struct Limits {
    std::size_t members;
    std::size_t queue;
    std::size_t message;
    unsigned attempts;
    BytesLimits bytes = {};
    std::chrono::nanoseconds kill_grace = std::chrono::seconds(1);
    // How long threads wait for room in the queue; empty: not at all.
    std::optional<std::chrono::nanoseconds> queue_wait = {};
    unsigned poison = 0;  // how many workers the calls of a key may take down; 0: any number
    std::shared_ptr<Events> events = {};  // null: nobody wants to hear of them
  };
  // What the crew is told, on any thread and never under the lock. It must not block.
  class Listener {
   public:
    virtual void worker_violated(Worker worker, std::string how) = 0;
    virtual void worker_spent(Worker worker) = 0;  // a retired one has nothing left to answer
    virtual void all_settled() = 0;                // while watch_settled() is on
    virtual void rounds_are_due() = 0;             // make_round() is due, soon
    virtual void calls_wait() = 0;                 // once for each watch_waiting()
    virtual void worker_worn(Worker worker) = 0;   // once it has answered as many as it may
    virtual void work_was_done() = 0;              // once for each watch_work()
    virtual void deadline_ahead(Clock::time_point when) = 0;  // look_at_deadlines() is due then
    // It did not end a call that it was asked to stop, for this reason.
    virtual void worker_overdue(Worker worker, Cause why) = 0;
    // Its tell_progress() is due, on the reactor. False: nobody will see to it.
    virtual bool progress_came(const std::shared_ptr<detail::Call>& call) = 0;

   protected:
    ~Listener() = default;
  };

  Calls(std::string service, const Limits& limits, std::weak_ptr<Listener> listener);

  // --- any thread

  // Waits while there is no room for it, if `Limits` say so.
  void submit(std::shared_ptr<detail::Call> call, const RunOptions* options = nullptr);
  void turn_away(detail::Call& call, std::exception_ptr why);
  // In memory that the worker has which would be given the next call, if it has some to spare.
  MutableBytes make_bytes(std::size_t size);
  // The same for a block of a request. Empty: it is to go through the ring.
  MutableBytes make_block(std::size_t size);
  void receive_for(detail::Call& call, Deadline deadline) override;
  std::exception_ptr out_of_reach() const override;
  void cancel(detail::Call& call, detail::Stop how) override;
  void fill(PoolStats& stats) const;
  // The numbers of those that take calls now, for Call::only_for.
  std::vector<std::uint64_t> ready_workers() const;
  void clear_quarantine(const std::string& key);

  // --- the crew, on the reactor

  void seat(Member member, Worker worker);  // it was started, and is not ready
  // It is ready: it gets calls from now on, and is worn when it has answered so many.
  void joined(Member member, std::uint64_t answers = ~std::uint64_t{});
  void rang(Member member);  // its doorbell: answers, or room
  // Looks after the connections that were left unattended. False when there are none any more.
  bool make_round();
  // Ends what is past its time. When there is something to look at next, if anything.
  std::optional<Clock::time_point> look_at_deadlines();
  void ask_to_leave(Member member);
  // The same for one while others go on: it gets nothing more, and ends when it has answered what
  // it has begun. The rest goes to others.
  void retire(Member member);
  // It is dead: takes what it published, then its calls. They are still open: lost() follows.
  // Empty while another thread receives from it: the reactor is told when it has done so.
  std::optional<rpc::AppEnd::Left> left(Member member);
  // Sorts out the calls of a dead worker: back into the queue, or failed by what `why` says.
  using Why = std::function<Error(const rpc::OpenCall&, rpc::CallLife::Failure)>;
  void lost(rpc::AppEnd::Left calls, const Why& why);
  // Calls that come from now on fail with `why`; empty: they are taken again.
  void refuse(std::optional<Error> why);
  void fail_queued(const Error& why);
  // All that are open, wherever they are; the workers' later answers count as violations.
  void fail_all(const Error& why);
  std::size_t open() const;
  void watch_settled() { watched_.store(true); }

  // What workers are up to (calls_upkeep.cpp):
  struct Activity {
    std::uint64_t answered;
    bool busy;
  };
  Activity activity(Member member) const;
  // Calls that another worker would run.
  std::size_t waiting_for_anyone() const;
  void watch_waiting();
  void watch_work();
  // The workers that are there. What only the crew knows of them is left open.
  void fill(std::vector<WorkerStats>& each) const;

 private:
  using Failure = rpc::CallLife::Failure;
  // What is to be looked at when a time has come.
  struct Watched {
    enum class What : std::uint8_t { timeout, run_timeout, grace } what;
    std::weak_ptr<detail::Call> call = {};
    // For `grace`: a worker that was asked to stop what it runs under this ticket, and why.
    std::weak_ptr<worker::WorkerProcess> worker = {};
    Member member = 0;
    rpc::Ticket ticket = 0;
    Failure reason = Failure::deadline;
    unsigned tries = 0;
    bool over() const;
  };
  struct Seat {
    // Changed under the lock by whoever has the role: either is enough to look.
    Worker worker;
    bool spins = false;                          // what its hint says
    Queue own{detail::Call::kept};               // calls that only it may run
    std::uint64_t answered = 0, last_round = 0;  // answers so far, and at the reactor's last round
    std::uint64_t worn_at = 0;                   // answers
    Clock::time_point last_answer{};             // when it was seen, if that was measured
    rpc::ReceiveRole role;  // synchronizes itself; the crew has it while nobody sits here
    std::atomic<std::uint64_t> completed = 0;  // calls; counted by whoever has the role
  };
  // What a look into a response ring has found behind the messages that it has brought.
  enum class Turn {
    more,     // there may be others
    nothing,  // it is empty
    stop,     // the worker broke the rules: there is nothing more to be had from it
  };

  // With the role of that seat:
  void receive_until(detail::Call& call, Deadline deadline, Member member);
  bool spin_for_answer(ipc::Link& link);
  void sleep_until_rung(detail::Call& call, Deadline deadline, Member member);
  void receive_some(Member member);
  void leave_unattended(Seat& seat);
  void begin_rounds();
  void let_go(Member member);
  Turn receive_batch(Member member);
  using Answers = std::span<rpc::AppEnd::Message>;
  bool take_answers(Member member, Answers answers);
  std::size_t close(Member member, Answers answers);
  bool deliver(Seat& seat, rpc::AppEnd::Message& answer, std::exception_ptr error);
  void reopen(Member member, Answers answers);
  bool take_other(Member member, const rpc::AppEnd::Message& message);
  bool take_progress(Member member, const rpc::AppEnd::Message& message);
  bool take_line(Member member, const rpc::AppEnd::Message& message);

  // Stopping:
  std::optional<Clock::time_point> watch(const std::shared_ptr<detail::Call>& call);
  void stop(detail::Call& call, Failure reason, detail::Stop how);
  enum class Tell { nobody, caller, caller_early, outsider };
  Tell stop_at(Member member, detail::Call& call, Failure reason, detail::Stop how);
  void ask_to_stop(Member member, rpc::Slot slot, Failure reason);
  void look_at(const Watched& due);
  std::optional<Member> member_of(const Watched& due) const;
  bool receive_now(Member member);
  void look_at_run(const std::shared_ptr<detail::Call>& call);
  void look_at_grace(const Watched& due);
  std::optional<Clock::time_point> end_of_run(const detail::Call& call);
  void tell_deadline(Clock::time_point when);

  // Outside (calls_outside.cpp):
  using Lock = std::unique_lock<platform::Mutex>;
  void without_room(const std::shared_ptr<detail::Call>& call, const RunOptions* options,
                    Lock lock);
  void wait_for_room(const std::shared_ptr<detail::Call>& call);
  bool let_in();
  bool leave_outside(detail::Call& call);
  std::deque<std::shared_ptr<detail::Call>> empty_outside();
  void turn_away(detail::Call& call, const Error& why);
  Error queue_full(bool waited) const;

  bool anyone_unattended() const;
  bool watch_flow();
  void distrust(const Worker& worker, std::string how);
  // As far as it is known.
  struct Settled {
    std::chrono::nanoseconds waited = {}, ran = {};
  };
  struct News {
    bool spent = false, worn = false, worked = false;
  };
  void tell(const News& news, const Worker& worker);
  std::size_t waiting_for_any_worker() const;
  bool some_wait_now();
  void tell_waiting();
  void tell_settled(const detail::Call& call, const Settled& how, const std::exception_ptr& error);
  // Measuring (calls_upkeep.cpp):
  void tick(Clock::time_point coarse_now);
  Clock::time_point begin_measuring();
  void measure(Seat& seat, Answers answers);
  void violated(const Worker& worker, std::string how);
  void fail(detail::Call& call, std::exception_ptr error);
  void settled(std::size_t count);
  template <class OpenCalls>
  void shut_down(OpenCalls& calls, const Error& why);
  std::optional<Error> objection_to(const detail::Call& call);
  [[nodiscard]] Worker take(std::shared_ptr<detail::Call>&& call);
  rpc::OpenCall open_call(std::shared_ptr<detail::Call>&& call);
  void note_priority(int priority);
  void give_in_turn(bool in_turn);
  std::size_t waiting() const;
  bool runs_next_at_once() const;
  bool has_room_for(const detail::Call& call) const;
  void dispatch();
  void hand_out();
  [[nodiscard]] bool give(Member member, rpc::OpenCall&& open);
  void has_done_some(Member member);
  void relieve(Member free);
  bool take_back(Member from, std::size_t count);

  // Keys (calls_keys.cpp):
  void put_last(rpc::OpenCall&& open);
  void put_first(rpc::OpenCall&& open);
  rpc::OpenCall take_first();
  bool withdraw(detail::Call& call, std::uint32_t at);
  std::optional<Member> taker_of(const rpc::OpenCall& open) const;
  std::optional<Member> home_of(const rpc::OpenCall& open) const;
  bool may_be_kept(const rpc::OpenCall& open, Member member) const;
  std::optional<Member> only_home(const detail::Call& call) const;
  void hand_over(Member member, rpc::OpenCall&& open);
  bool give_kept();
  void give_all_kept(Member member);
  void keep_last(Member member, rpc::OpenCall&& open);
  void keep_first(Member member, rpc::OpenCall&& open);
  Queue& reserve(Member member);
  void unreserve_if_done(Member member);
  void move_keys_from(Member member);
  std::deque<rpc::OpenCall> take_all_waiting();

  // Ends of workers, and keys that are guilty of them (calls_quarantine.cpp):
  struct Failed {
    rpc::OpenCall open;
    Failure failure;
  };
  struct Lost {
    std::vector<rpc::OpenCall> again = {};
    std::vector<Failed> failed = {};
    std::vector<std::shared_ptr<detail::Key>> condemned = {};
  };
  struct Refused {
    std::shared_ptr<const Error> why;
    std::vector<std::shared_ptr<detail::Call>> calls = {}, outside = {};
  };
  void sort_out(rpc::OpenCall& open, rpc::CallLife::Run run, const Why& why, Lost& lost);
  Refused take_calls_of(const std::shared_ptr<detail::Key>& key);
  void refuse(const Refused& refused);

  void advise(Seat& seat);
  std::shared_ptr<rpc::AppBlobs> next_connection() const;
  std::vector<std::shared_ptr<rpc::AppBlobs>> connections() const;

  const platform::HomeProcess home_;
  const std::string service_;
  const Limits limits_;
  const std::weak_ptr<Listener> listener_;
  const std::size_t cores_;
  const std::shared_ptr<ipc::Budget> budget_;  // of make_bytes
  const std::shared_ptr<ipc::Budget> blocks_;  // how many make_block has out

  // Counters; each stands for itself.
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<std::size_t> settled_ = 0;  // of those that were taken
  std::atomic<std::size_t> spinners_ = 0;
  std::atomic<bool> watched_ = false;
  std::atomic<bool> rounds_ = false;  // the reactor makes its rounds
  // Calls that wait have different priorities, so that none is given ahead. Under the lock, or as a
  // hint.
  std::atomic<bool> in_turn_ = false;
  std::atomic<std::size_t> kept_ = 0;  // calls that wait for one worker alone; the same

  mutable platform::Mutex mutex_;
  // guarded by mutex_, or as a Seat says
  Schedule schedule_;
  Flow flow_;
  std::uint64_t answered_ = 0;
  Latencies queue_times_, run_times_;
  Clock::time_point tick_{};  // of the coarse clock
  // Of a tick, which takes some milliseconds. Looking at the exact clock takes longer than all else
  // that the lock is held for.
  static constexpr unsigned measured_each_tick = 4;
  unsigned to_be_measured_ = measured_each_tick;  // calls, until the next tick
  bool watches_waiting_ = false, watches_work_ = false;
  std::vector<Seat> seats_;
  Queue queue_;
  Keys keys_;
  Quarantine quarantine_;
  std::deque<std::shared_ptr<detail::Call>> outside_;  // their threads wait for room
  Deadlines<Watched> deadlines_;
  int priority_ = 0;       // of all that wait, unless they are given in turn
  std::size_t taken_ = 0;  // calls
  std::size_t held_ = 0;   // those that workers have
  rpc::CallId last_id_ = 0;
  std::optional<Error> refusal_;
  bool closed_ = false;  // nothing is tried again: there will be no workers
};

}  // namespace bulkhead::pool
