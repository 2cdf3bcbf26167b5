// The app's side of one worker: its process, its connection, its output, from the order to start it
// until its end is known. Lives on the reactor, apart from its connection, which says itself who
// may use it.
//
// Stages: starting (until it says that it is ready) ─▶ ready ─▶ dying (its pidfd says so; how it
// ended is asked for) ─▶ ended. The first reason to end is the cause that is reported.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bulkhead/error.hpp"
#include "bulkhead/sandbox.hpp"
#include "platform/pidfd.hpp"
#include "reactor/reactor.hpp"
#include "reactor/timer.hpp"
#include "reactor/watch.hpp"
#include "rpc/app_end.hpp"
#include "worker/forwarded_output.hpp"
#include "worker/logged_lines.hpp"
#include "worker/source.hpp"

namespace bulkhead::worker {

class WorkerProcess : public std::enable_shared_from_this<WorkerProcess> {
 public:
  class Listener {
   public:
    // It takes requests from now on.
    virtual void worker_ready(WorkerProcess& worker) = 0;
    // Its doorbell rang: there may be answers, or room for requests.
    virtual void worker_rang(WorkerProcess& worker) = 0;
    // It is dead: what it published before is still to be had from its connection.
    virtual void worker_ended(WorkerProcess& worker) = 0;
    // A line, if `Terms` say that it is told. `number`: of standard output or error.
    virtual void worker_wrote(WorkerProcess& worker, int number, std::string_view line) = 0;

   protected:
    ~Listener() = default;
  };

  struct Terms {
    std::chrono::milliseconds connect_timeout;
    std::size_t max_message;
    BytesLimits bytes = {};
    std::chrono::milliseconds heartbeat = {};  // 0: it need not beat
    Sandbox::Limits limits = {};               // that may end it
    bool tells_output = false;                 // else it goes on to the app's own
  };
  // Throws std::system_error when memory or descriptors are not to be had.
  static std::shared_ptr<WorkerProcess> start(std::shared_ptr<reactor::Reactor> reactor,
                                              std::shared_ptr<Source> source, WorkerNumber number,
                                              std::string service, const Terms& terms,
                                              std::weak_ptr<Listener> listener);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  WorkerNumber number() const { return number_; }
  pid_t pid() const { return pid_; }                 // 0 until it was forked
  const std::string& name() const { return name_; }  // "thumbnailer worker 4711"
  const std::shared_ptr<Source>& source() const { return source_; }
  rpc::AppEnd& connection() { return *connection_; }
  bool starting() const { return stage_ == Stage::starting; }
  bool was_ready() const { return got_ready_; }  // for any thread, as pid() and suspect()
  std::size_t calls_at_once() const { return calls_at_once_; }  // as it said when it was ready
  bool dead() const { return stage_ == Stage::dying || ended(); }
  bool ended() const { return stage_ == Stage::ended; }

  bool suspect() const { return suspect_; }
  void note_suspect(bool suspect) { suspect_ = suspect; }

  // From any thread: it said that it is ready, or why it will not be.
  void said(const rpc::AppEnd::Message& message);
  // For who has the receive role: whether the next line that it has logged is kept, when it has
  // lost so many before; and that line, which is logged on the reactor soon.
  bool admits_line(std::uint64_t lost);
  void logged(LoggedLines::Line line);
  // Those that wait.
  void log_lines();
  // From any thread: what its doorbell is answered with is due on the reactor.
  void ring_reactor();
  // Ends it and all that it started. Only the first cause counts.
  void kill(Cause cause, std::string detail = {});
  // From now on its end is no crash, unless it runs a call.
  void asked_to_leave(Cause why = Cause::shut_down) { leaving_ = why; }
  // Why, if it was.
  std::optional<Cause> leaving() const { return leaving_; }
  // It has nothing left to do: kills it when it has not ended by then.
  void leave_within(std::chrono::milliseconds patience);
  // A polite word before kill(): to it and all that it started.
  void terminate();

  // What its source says about it.
  void was_started(pid_t pid, platform::Pidfd process);
  void was_not_started(const Error& why);
  void was_reaped(const platform::Ending& ending);
  void lost_source(const std::optional<Error>& why);

  // Once it has ended.
  std::shared_ptr<const CrashReport> report(std::vector<RunningCall> running) const;
  // Why it never got ready, if it did not.
  Error start_failure() const;
  std::chrono::nanoseconds uptime() const;
  std::chrono::steady_clock::time_point ended_at() const { return ended_at_; }
  bool ended_by_itself() const { return !killed_; }
  const std::string& detail() const { return detail_; }

 private:
  enum class Stage { starting, ready, dying, ended };

  WorkerProcess(std::shared_ptr<reactor::Reactor> reactor, std::shared_ptr<Source> source,
                WorkerNumber number, std::string service, std::weak_ptr<Listener> listener);
  void said_ready();
  void said_no(std::string why);
  void begin(const Terms& terms);
  void connect(const std::string& segment, ipc::Doorbell bell, const Terms& terms,
               platform::Fd bytes_socket);
  void watch_doorbell();
  void carry_channels();
  void end_channels();
  void watch_bytes();
  void doorbell_closed();
  void timed_out(std::chrono::milliseconds connect_timeout);
  bool tells_of_its_crash();
  void process_ended();
  void finish();
  void note_cause(Cause cause);
  void look_for_memory();
  std::string limit_that_ended_it() const;
  Cause cause(bool ran_calls) const;
  std::shared_ptr<CrashStack> stack(const ExitStatus& status) const;

  const std::shared_ptr<reactor::Reactor> reactor_;
  const std::shared_ptr<Source> source_;
  const WorkerNumber number_;
  const std::string service_;
  const std::weak_ptr<Listener> listener_;
  const std::chrono::steady_clock::time_point begun_at_;

  Stage stage_ = Stage::starting;
  bool said_ready_early_ = false;
  std::atomic<bool> got_ready_ = false, suspect_ = false;
  std::size_t calls_at_once_ = 1;
  std::optional<Cause> leaving_;
  bool killed_ = false;
  std::optional<Cause> cause_;    // the first, if it was ours
  std::string detail_;            // of the cause
  std::optional<Error> failure_;  // why it did not start, where that is not told by its end
  std::atomic<pid_t> pid_ = 0;
  std::string name_;
  platform::Pidfd pidfd_;
  std::optional<platform::Ending> ending_;
  std::optional<std::uint64_t> oom_kills_before_;  // of the machine
  bool out_of_memory_ = false;
  Sandbox::Limits limits_;
  std::chrono::steady_clock::time_point ended_at_{};

  std::unique_ptr<rpc::AppEnd> connection_;
  reactor::Watch doorbell_;
  reactor::Watch bytes_;
  reactor::Watch process_;
  // While it starts: its patience. Once it is dead: how long the fork server may take to say how.
  reactor::Timer timer_;
  std::optional<ForwardedOutput> output_, errors_;
  LoggedLines lines_;
};

}  // namespace bulkhead::worker
