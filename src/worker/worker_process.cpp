#include "worker/worker_process.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "platform/fault.hpp"
#include "platform/log.hpp"
#include "platform/oom.hpp"
#include "platform/socket.hpp"
#include "worker/crash_stack.hpp"
#include "worker/measures.hpp"
#include "worker/report.hpp"

namespace bulkhead::worker {

namespace {

// The fork server knows how a worker ended as soon as we do, unless it is busy or hangs.
constexpr std::chrono::milliseconds patience_for_status{200};
constexpr std::chrono::seconds patience_after_doorbell{1};
constexpr std::int64_t longest_beat = 1'000'000'000;  // ms

}  // namespace

WorkerProcess::WorkerProcess(std::shared_ptr<reactor::Reactor> reactor,
                             std::shared_ptr<Source> source, WorkerNumber number,
                             std::string service, std::weak_ptr<Listener> listener)
    : reactor_(std::move(reactor)),
      source_(std::move(source)),
      number_(number),
      service_(std::move(service)),
      listener_(std::move(listener)),
      begun_at_(std::chrono::steady_clock::now()),
      name_(service_ + " worker"),
      doorbell_(*reactor_),
      bytes_(*reactor_),
      process_(*reactor_),
      timer_(*reactor_) {}

std::shared_ptr<WorkerProcess> WorkerProcess::start(std::shared_ptr<reactor::Reactor> reactor,
                                                    std::shared_ptr<Source> source,
                                                    WorkerNumber number, std::string service,
                                                    const Terms& terms,
                                                    std::weak_ptr<Listener> listener) {
  std::shared_ptr<WorkerProcess> worker(new WorkerProcess(
      std::move(reactor), std::move(source), number, std::move(service), std::move(listener)));
  worker->begin(terms);
  return worker;
}

// One that is a thread could not be killed. Nobody hears any more how it ends what it runs.
WorkerProcess::~WorkerProcess() {
  if (connection_) connection_->ask_all_to_stop();
}

void WorkerProcess::begin(const Terms& terms) {
  limits_ = terms.limits;
  auto [ours, theirs] = ipc::Doorbell::make();
  platform::SocketPair bytes_socket = platform::packet_pair();
  platform::Pipe output = platform::make_pipe(), errors = platform::make_pipe();
  const auto on_line = [&](int number) -> process::OnLine {
    if (!terms.tells_output) return ForwardedOutput::to_own(number);
    return [this, number](std::string_view line) {
      if (const auto listener = listener_.lock()) listener->worker_wrote(*this, number, line);
    };
  };
  output_.emplace(*reactor_, std::move(output.read), on_line(1));
  errors_.emplace(*reactor_, std::move(errors.read), on_line(2));
  output_->start(weak_from_this());
  errors_->start(weak_from_this());
  const std::string segment = ipc::Segment::new_name();
  platform::fault_point("app.before_order");
  source_->start_worker({number_, segment, terms.max_message, terms.bytes}, theirs, output.write,
                        errors.write, bytes_socket.theirs);
  connect(segment, std::move(ours), terms, std::move(bytes_socket.ours));
  oom_kills_before_ = platform::oom_kills();  // which takes a while: the worker starts meanwhile
  platform::fault_point("app.after_order");
  timer_.start(std::chrono::steady_clock::now() + terms.connect_timeout, weak_from_this(),
               [this, patience = terms.connect_timeout] { timed_out(patience); });
}

// The memory takes about as long as the fork, which goes on meanwhile. The worker waits for the
// first ring.
void WorkerProcess::connect(const std::string& segment, ipc::Doorbell bell, const Terms& terms,
                            platform::Fd bytes_socket) {
  try {
    connection_ = std::make_unique<rpc::AppEnd>(ipc::Segment::create({}, segment), std::move(bell),
                                                terms.max_message);
    connection_->link().segment().hints().beat_every_ms.store(
        static_cast<std::uint32_t>(std::min<std::int64_t>(terms.heartbeat.count(), longest_beat)));
    // Before the worker can know of it: its first message is to ring.
    watch_doorbell();
    connection_->carry_bytes(std::move(bytes_socket), terms.bytes, [self = weak_from_this()] {
      if (const auto worker = self.lock()) worker->ring_reactor();
    });
    carry_channels();
    watch_bytes();
    connection_->link().bell().ring();
  } catch (const std::system_error&) {
    source_->signal_worker(number_, SIGKILL);
    throw;
  }
}

void WorkerProcess::watch_doorbell() {
  const ipc::Doorbell& bell = connection_->link().bell();
  static_cast<void>(connection_->link().arm());  // nothing can be there yet
  doorbell_.start(bell.fd(), weak_from_this(), [this, &bell] {
    if (bell.drain() == ipc::Bell::closed) {
      doorbell_closed();
      return false;
    }
    if (tells_of_its_crash()) return false;
    if (const auto listener = listener_.lock()) listener->worker_rang(*this);
    return true;
  });
}

// Told under locks that its end may need: so it is kept until the reactor has it.
void WorkerProcess::carry_channels() {
  const auto later = [self = weak_from_this()](auto work) {
    auto worker = self.lock();
    const auto reactor = worker ? worker->reactor_ : nullptr;
    if (reactor)
      reactor->post([worker = std::move(worker), work = std::move(work)] { work(*worker); });
  };
  connection_->carry_channels(
      {.violated =
           [later](std::string how) {
             later([how = std::move(how)](WorkerProcess& worker) {
               worker.kill(Cause::protocol_violation, how);
             });
           },
       .hung_up = [later] { later([](WorkerProcess& worker) { worker.doorbell_closed(); }); }});
}

// What it makes is taken, what it needs is given.
void WorkerProcess::watch_bytes() {
  rpc::AppBlobs& blobs = *connection_->blobs();
  bytes_.start(blobs.socket(), weak_from_this(), [this, &blobs] {
    const auto heard = blobs.receive();
    if (heard == rpc::AppBlobs::Heard::violation)
      kill(Cause::protocol_violation, blobs.violation());
    return heard == rpc::AppBlobs::Heard::all;
  });
}

// A process that ends closes its doorbell a moment before its pidfd tells. One that closes it and
// lives on can not be woken any more. (While it starts, it is timed out anyway.)
void WorkerProcess::doorbell_closed() {
  if (stage_ != Stage::ready) return;
  timer_.start(std::chrono::steady_clock::now() + patience_after_doorbell, weak_from_this(),
               [this] { kill(Cause::protocol_violation, "it closed its doorbell"); });
}

// ------------------------------------------------------------ starting

void WorkerProcess::was_started(pid_t pid, platform::Pidfd process) {
  try {
    process_.start(process.fd(), weak_from_this(), [this] {
      process_ended();
      return false;
    });
  } catch (const std::system_error& error) {
    source_->signal_worker(number_, SIGKILL);
    return was_not_started(Error(errc::start_failed,
                                 "a " + service_ + " worker could not be started: " + error.what(),
                                 error.code()));
  }
  pid_ = pid;
  name_ = service_ + " worker " + std::to_string(pid);
  pidfd_ = std::move(process);
  if (killed_) return kill(*cause_);
  log_lines();
  if (said_ready_early_) said_ready();
}

void WorkerProcess::was_not_started(const Error& why) {
  failure_ = why;
  finish();
}

void WorkerProcess::said(const rpc::AppEnd::Message& message) {
  if (!reactor_->on_its_thread())
    return reactor_->post([self = shared_from_this(), message] { self->said(message); });
  if (message.head.kind == rpc::Kind::ready) {
    calls_at_once_ = message.head.slot;
    return said_ready();
  }
  const auto why = message.body();
  said_no(process::printable({reinterpret_cast<const char*>(why.data()), why.size()}));
}

bool WorkerProcess::admits_line(std::uint64_t lost) {
  return lines_.admits(lost, std::chrono::steady_clock::now());
}

// Not here: whoever waits for an answer may hold what the application's logger needs.
void WorkerProcess::logged(LoggedLines::Line line) {
  if (lines_.put(std::move(line)))
    reactor_->post([self = shared_from_this()] { self->log_lines(); });
}

void WorkerProcess::log_lines() {
  if (pid_ == 0 && !ended()) return;  // who it is is told soon
  for (const auto& [level, call, text, lost] : lines_.take()) {
    if (lost > 0)
      platform::logger()->warn("{} lines that {} logged were dropped: it logs too many", lost,
                               name_);
    log_line(name_, level, call, text);
  }
}

void WorkerProcess::ring_reactor() {
  reactor_->post([self = shared_from_this()] {
    if (const auto listener = self->listener_.lock()) listener->worker_rang(*self);
  });
}

void WorkerProcess::said_ready() {
  if (stage_ != Stage::starting) return kill(Cause::protocol_violation, "it was ready twice");
  // Faster than the fork server, which is about to tell who it is.
  if (pid_ == 0) {
    said_ready_early_ = true;
    return;
  }
  platform::fault_point("app.before_unlink");
  connection_->link().unlink_segment();
  stage_ = Stage::ready;
  got_ready_ = true;
  timer_.stop();
  if (const auto listener = listener_.lock()) listener->worker_ready(*this);
}

void WorkerProcess::said_no(std::string why) {
  if (got_ready_) return kill(Cause::protocol_violation, "it refused to start after it was ready");
  if (!failure_)
    failure_ = Error(errc::start_failed,
                     "a " + service_ + " worker could not be started: " + std::move(why));
}

void WorkerProcess::timed_out(std::chrono::milliseconds connect_timeout) {
  if (stage_ != Stage::starting) return;
  failure_ = Error(errc::connect_timeout, service_ + " worker " + std::to_string(pid_) +
                                              " was not ready within " +
                                              std::to_string(connect_timeout.count()) + " ms");
  kill(Cause::connect_timeout);
  if (pid_ == 0) source_->kill();  // it hangs: it has not even forked
}

// ------------------------------------------------------------ ending

void WorkerProcess::note_cause(Cause cause) {
  if (!cause_) cause_ = cause;
}

void WorkerProcess::kill(Cause cause, std::string detail) {
  if (dead()) return;
  if (!cause_) detail_ = std::move(detail);
  note_cause(cause);
  killed_ = true;
  if (pidfd_) pidfd_.signal(SIGKILL);
  source_->signal_worker(number_, SIGKILL);
}

void WorkerProcess::leave_within(std::chrono::milliseconds patience) {
  if (dead()) return;
  timer_.start(std::chrono::steady_clock::now() + patience, weak_from_this(),
               [this] { kill(Cause::shut_down); });
}

void WorkerProcess::terminate() {
  note_cause(Cause::shut_down);
  killed_ = true;
  source_->signal_worker(number_, SIGTERM);
}

void WorkerProcess::lost_source(const std::optional<Error>& why) {
  if (stage_ == Stage::ended) return;
  if (why && pid_ == 0) {  // not even forked: the fork server's end is all that there is to tell
    const auto& crash = detail::Reports::of(*why);
    const errc code = failure_ ? errc{failure_->code().value()} : errc::start_failed;
    failure_ = Error(code, failure_ ? failure_->what() : why->what(), why->system(), crash);
  }
  note_cause(Cause::fork_server_lost);
  killed_ = true;
  if (pidfd_) pidfd_.signal(SIGKILL);
  if (stage_ == Stage::dying || pid_ == 0) finish();
}

void WorkerProcess::process_ended() {
  if (dead()) return;
  stage_ = Stage::dying;
  ended_at_ = std::chrono::steady_clock::now();
  doorbell_.stop();
  bytes_.stop();
  if (ending_ || source_->ended()) return finish();  // nobody will say how
  timer_.start(ended_at_ + patience_for_status, weak_from_this(), [this] {
    if (!source_->dead()) finish();  // else its end is told soon, and it is the cause
  });
}

// True: it is as good as dead. That the kernel says so may take long. One that lies is dead, too.
bool WorkerProcess::tells_of_its_crash() {
  const ipc::CrashNote& note = connection_->link().segment().crash_note();
  if (!ipc::says_end(note) || stage_ != Stage::ready || killed_ || ending_) return false;
  const auto crash = ipc::read_note(note);
  if (!crash || !pidfd_.signal(SIGKILL)) return false;
  source_->signal_worker(number_, SIGKILL);
  ending_ = {platform::Ending::How::killed, crash->signal, crash->usage};
  process_ended();
  source_->leave_unreaped(number_, std::move(pidfd_));
  return true;
}

void WorkerProcess::was_reaped(const platform::Ending& ending) {
  if (!ending_) ending_ = ending;  // else it has said so itself, and then was killed
  if (stage_ == Stage::dying) finish();
}

void WorkerProcess::finish() {
  if (stage_ == Stage::ended) return;
  if (ended_at_ == std::chrono::steady_clock::time_point{})
    ended_at_ = std::chrono::steady_clock::now();
  stage_ = Stage::ended;
  timer_.stop();
  doorbell_.stop();
  bytes_.stop();
  process_.stop();
  output_->finish();
  errors_->finish();
  connection_->link().unlink_segment();
  if (!ending_ && pidfd_) {
    // Its fork server is dead, or behind. Orphans are this process's own if it inherits them.
    ending_ = pidfd_.reap(false);
    source_->leave_unreaped(number_, std::move(pidfd_));
  }
  look_for_memory();
  end_channels();
  if (const auto listener = listener_.lock()) listener->worker_ended(*this);
}

void WorkerProcess::look_for_memory() {
  if (killed_ || !ending_ || status_of(*ending_).signal != SIGKILL) return;
  out_of_memory_ = out_of_memory(*ending_, oom_kills_before_, platform::oom_kills());
}

void WorkerProcess::end_channels() {
  const Error why = crash_error(report({}), nullptr, detail_);
  connection_->end_channels(Error(
      errc::channel_closed, std::string("the other end of the channel is gone: ") + why.what(), {},
      detail::Reports::of(why)));
}

std::chrono::nanoseconds WorkerProcess::uptime() const { return ended_at_ - begun_at_; }

Cause WorkerProcess::cause(bool ran_calls) const {
  if (cause_) return *cause_;
  if (leaving_ && !ran_calls) return *leaving_;
  if (out_of_memory_) return Cause::out_of_memory;
  return limit_that_ended_it().empty() ? cause_of(ending_.value_or(platform::Ending{}))
                                       : Cause::limit;
}

std::string WorkerProcess::limit_that_ended_it() const {
  return ending_ ? limit_that_ended(*ending_, limits_) : std::string();
}

std::shared_ptr<const CrashReport> WorkerProcess::report(std::vector<RunningCall> running) const {
  auto report = std::make_shared<CrashReport>();
  const platform::Ending ending = ending_.value_or(platform::Ending{});
  report->pid = pid_;
  report->service = service_;
  report->cause = cause(!running.empty());
  report->status = status_of(ending);
  if (report->cause == Cause::limit) report->limit = limit_that_ended_it();
  report->running = std::move(running);
  report->stderr_tail = errors_->tail();
  report->uptime = std::chrono::duration_cast<std::chrono::milliseconds>(uptime());
  report->usage = ending.usage;
  report->raw_stack = stack(report->status);
  return report;
}

// What it noted, if it has ended as it noted.
std::shared_ptr<CrashStack> WorkerProcess::stack(const ExitStatus& status) const {
  auto noted = ipc::read_note(connection_->link().segment().crash_note());
  if (!noted || noted->frames.empty() || status.signal != noted->signal) return nullptr;
  return std::make_shared<CrashStack>(std::move(noted->frames), source_->modules());
}

Error WorkerProcess::start_failure() const {
  if (!failure_) return start_error(report({}));
  if (pid_ == 0) return *failure_;
  return Error(errc{failure_->code().value()}, failure_->what(), failure_->system(), report({}));
}

}  // namespace bulkhead::worker
