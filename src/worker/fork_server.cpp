#include "worker/fork_server.hpp"

#include <csignal>
#include <utility>

#include "platform/fault.hpp"
#include "platform/host.hpp"
#include "platform/proc.hpp"
#include "platform/socket.hpp"
#include "process/roof.hpp"
#include "worker/plan.hpp"
#include "worker/report.hpp"

namespace bulkhead::worker {

namespace {

// Its workers are dead when it is asked to end: what is left to do takes a moment, unless it hangs.
constexpr std::chrono::seconds patience_to_leave{2};
constexpr std::chrono::seconds patience_for_roof{1};
constexpr std::chrono::seconds patience_for_tracer{1};
constexpr std::chrono::milliseconds look_again{10};

}  // namespace

ForkServer::ForkServer(std::shared_ptr<reactor::Reactor> reactor, const detail::Contract& contract,
                       const Confine& confine, std::weak_ptr<Listener> listener)
    : reactor_(std::move(reactor)),
      contract_(contract),
      confine_(confine),
      listener_(std::move(listener)),
      launched_at_(std::chrono::steady_clock::now()),
      control_(*reactor_),
      process_(*reactor_),
      timer_(*reactor_) {}

std::shared_ptr<ForkServer> ForkServer::launch(std::shared_ptr<reactor::Reactor> reactor,
                                               const process::Program& program,
                                               const detail::Contract& contract,
                                               const Confine& confine,
                                               std::chrono::milliseconds connect_timeout,
                                               std::weak_ptr<Listener> listener) {
  std::shared_ptr<ForkServer> server(
      new ForkServer(std::move(reactor), contract, confine, std::move(listener)));
  try {
    server->spawn(program);
    server->watch(connect_timeout);
  } catch (...) {
    server->abandon();
    throw;
  }
  return server;
}

// Nobody would hear of its end.
void ForkServer::abandon() {
  if (!child_.pidfd) return;
  kill();
  child_.pidfd.wait_ended(patience_to_leave);
  child_.pidfd.reap(false);
}

void ForkServer::spawn(process::Program program) {
  try {
    platform::SocketPair control = platform::packet_pair();
    platform::Pipe output = platform::make_pipe(), errors = platform::make_pipe();
    program.descriptors = {
        {output.write.get(), 1}, {errors.write.get(), 2}, {control.theirs.get(), control_number}};
    child_ = process::spawn(program);
    start_time_ = platform::start_time(child_.pid).value_or(0);
    platform::fault_point("app.after_launch");
    control_socket_ = std::move(control.ours);
    output_.emplace(*reactor_, std::move(output.read), ForwardedOutput::to_own(1));
    errors_.emplace(*reactor_, std::move(errors.read), ForwardedOutput::to_own(2));
  } catch (const std::system_error& error) {
    throw Error(errc::start_failed,
                contract_.service + " workers could not be started: " + error.what(), error.code());
  }
}

void ForkServer::watch(std::chrono::milliseconds connect_timeout) {
  control_.start(control_socket_, weak_from_this(), [this] { return read_control(); });
  process_.start(child_.pidfd.fd(), weak_from_this(), [this] {
    process_ended();
    return false;
  });
  output_->start(weak_from_this());
  errors_->start(weak_from_this());
  timer_.start(std::chrono::steady_clock::now() + connect_timeout, weak_from_this(),
               [this, connect_timeout] { timed_out(connect_timeout); });
}

// ------------------------------------------------------------ what it says

// Packets that came before its end are read before its end is handled.
bool ForkServer::read_control() {
  while (control_socket_) {  // what a notice leads to may close it
    try {
      auto packet = platform::receive_packet(control_socket_, max_control_packet, max_control_fds);
      if (packet.io == platform::Io::would_block) return true;
      if (packet.io == platform::Io::end) return false;  // its process ends too, or is timed out
      if (stage_ == Stage::launching)
        take_greeting(packet.bytes);
      else if (!dead())
        take_notice(unpack_notice(packet.bytes), std::move(packet.fds));
    } catch (const std::exception& error) {
      fail(Error(errc::start_failed, "the " + contract_.service +
                                         " worker program sent what none sends: " + error.what()));
      return false;
    }
  }
  return false;
}

void ForkServer::take_greeting(std::span<const std::byte> packet) {
  const auto greeting = unpack_greeting(packet);
  if (!greeting)
    return fail(Error(errc::start_failed, "the program launched for " + contract_.service +
                                              " is no Bulkhead worker: it sent something else"));
  if (auto objects = objection(contract_, *greeting)) return fail(*objects);
  platform::fault_point("app.after_greeting");
  stage_ = Stage::preparing;
  send(confine_, {});
}

void ForkServer::take_notice(const Notice& notice, std::vector<platform::Fd> fds) {
  if (const auto* serving = std::get_if<Serving>(&notice)) return take(*serving);
  if (const auto* refused = std::get_if<Refused>(&notice))
    return fail(Error(refused->not_enforced ? errc::not_enforced : errc::start_failed,
                      contract_.service + " workers could not be started: " + refused->why));
  if (const auto* started = std::get_if<Started>(&notice)) {
    if (fds.empty()) return give_up_worker(started->number);
    tell([&](Listener& listener) {
      listener.worker_started(started->number, started->pid,
                              platform::Pidfd(std::move(fds.front())));
    });
  } else if (const auto* not_started = std::get_if<NotStarted>(&notice)) {
    const Error why(errc::start_failed,
                    "a " + contract_.service + " worker could not be started: " + not_started->why,
                    std::error_code(not_started->error, std::generic_category()));
    tell([&](Listener& listener) { listener.worker_not_started(not_started->number, why); });
  } else if (const auto* ended = std::get_if<Ended>(&notice)) {
    unreaped_.erase(ended->number);
    tell([&](Listener& listener) { listener.worker_reaped(ended->number, ended->ending); });
  }
}

// There was no descriptor left to hold it by.
void ForkServer::give_up_worker(WorkerNumber number) {
  signal_worker(number, SIGKILL);
  const Error why(errc::start_failed,
                  "a " + contract_.service +
                      " worker could not be started: this process has too many open files",
                  std::make_error_code(std::errc::too_many_files_open));
  tell([&](Listener& listener) { listener.worker_not_started(number, why); });
}

void ForkServer::take(const Serving& notice) {
  if (failure_) return;  // too late: it is being killed
  roof_ = notice.roof;
  containment_ = notice.containment;
  stage_ = Stage::serving;
  timer_.stop();
  tell([this](Listener& listener) { listener.source_serves(*this); });
}

// ------------------------------------------------------------ what it is told

// What finds no room waits: forking may take longer than ordering, or be stopped for a while. A
// worker that waits for too long is timed out, and with it this process, which hangs.
void ForkServer::send(const Order& order, std::initializer_list<const platform::Fd*> fds) {
  if (dead()) return;
  auto packet = pack(order);
  std::vector<int> numbers;
  for (const platform::Fd* fd : fds) numbers.push_back(fd->get());
  if (outbox_.empty() && send_now(packet, numbers)) return;
  Waiting waiting{std::move(packet), {}};
  for (const platform::Fd* fd : fds) waiting.fds.push_back(platform::duplicate(*fd));
  outbox_.push_back(std::move(waiting));
  if (outbox_.size() == 1) send_waiting();
}

bool ForkServer::send_now(std::span<const std::byte> packet, std::span<const int> fds) {
  return platform::send_packet(control_socket_, packet, fds) != platform::Sent::would_block;
}

void ForkServer::send_waiting() {
  for (; !outbox_.empty(); outbox_.pop_front()) {
    std::vector<int> fds;
    for (const platform::Fd& fd : outbox_.front().fds) fds.push_back(fd.get());
    if (!send_now(outbox_.front().packet, fds)) break;
  }
  if (outbox_.empty()) return;
  timer_.start(std::chrono::steady_clock::now() + look_again, weak_from_this(),
               [this] { send_waiting(); });
}

void ForkServer::start_worker(const StartWorker& order, const ipc::Doorbell& doorbell,
                              const platform::Fd& output, const platform::Fd& errors,
                              const platform::Fd& bytes) {
  const auto [usual, direct] = doorbell.fds();
  send(order, {usual, direct, &output, &errors, &bytes});
}

void ForkServer::signal_worker(WorkerNumber number, int signal) {
  if (stage_ == Stage::serving && !asked_to_end_) send(SignalWorker{number, signal});
}

void ForkServer::close() {
  if (asked_to_end_ || dead()) return;
  asked_to_end_ = true;
  platform::fault_point("app.before_close");
  if (stage_ != Stage::serving) return kill();
  control_.stop();
  platform::hang_up(control_socket_);  // forks of the app may hold it open
  control_socket_.reset();
  outbox_.clear();
  timer_.start(std::chrono::steady_clock::now() + patience_to_leave, weak_from_this(),
               [this] { kill(); });
}

void ForkServer::leave_unreaped(WorkerNumber number, platform::Pidfd worker) {
  if (!dead()) unreaped_.emplace(number, std::move(worker));
}

std::shared_ptr<const platform::Modules> ForkServer::modules() {
  if (!modules_ && !dead())
    modules_ = std::make_shared<platform::Modules>(platform::modules_of(child_.pid));
  return modules_;
}

void ForkServer::kill() {
  // Before it serves it may be any program, with children in its own process group.
  if (stage_ == Stage::launching || stage_ == Stage::preparing)
    child_.pidfd.signal_group(child_.pid, SIGKILL);
  child_.pidfd.signal(SIGKILL);
}

void ForkServer::timed_out(std::chrono::milliseconds connect_timeout) {
  if (stage_ == Stage::serving || dead()) return;
  fail(Error(errc::connect_timeout,
             "the " + contract_.service + " worker program " + std::to_string(pid()) +
                 " was not ready within " + std::to_string(connect_timeout.count()) + " ms: " +
                 (stage_ == Stage::launching ? "it has not called serve_if_worker"
                                             : "its preload has not returned")));
}

void ForkServer::fail(const Error& why) {
  if (!failure_) failure_ = why;
  platform::fault_point("app.before_kill");
  kill();
}

// ------------------------------------------------------------ its end

void ForkServer::process_ended() {
  if (dead()) return;
  if (control_.running()) read_control();
  // What it started before it served shares its group.
  if (stage_ != Stage::serving) child_.pidfd.signal_group(child_.pid, SIGKILL);
  const auto reaped = child_.pidfd.reap(false);
  if (!reaped && look_for_end_again()) return;
  const auto ending = reaped.value_or(platform::Ending{});
  output_->finish();
  errors_->finish();
  control_.stop();
  control_socket_.reset();
  timer_.stop();
  outbox_.clear();
  if (!asked_to_end_) why_it_ended_ = ended_unasked(ending);
  stage_ = Stage::dead;
  for (const auto& [number, worker] : std::exchange(unreaped_, {})) worker.reap(false);
  clear_roof(std::chrono::steady_clock::now() + patience_for_roof);
}

// Whoever traces a process hears of its end first: a debugger, or a sanitizer that looks for leaks.
bool ForkServer::look_for_end_again() {
  const auto now = std::chrono::steady_clock::now();
  if (!seen_dead_at_) seen_dead_at_ = now;
  if (now - *seen_dead_at_ > patience_for_tracer) return false;
  timer_.start(now + look_again, weak_from_this(), [this] { process_ended(); });
  return true;
}

// What was in it may take a while to die.
void ForkServer::clear_roof(std::chrono::steady_clock::time_point end) {
  const auto now = std::chrono::steady_clock::now();
  if (!roof_cleared() && now < end)
    return timer_.start(now + look_again, weak_from_this(), [this, end] { clear_roof(end); });
  stage_ = Stage::ended;
  tell([&](Listener& listener) { listener.source_ended(*this, why_it_ended_); });
}

// Killed as it began to serve, it had no time to say whether it has made one.
bool ForkServer::roof_cleared() const {
  if (platform::fault_errno("app.clear_roof") != 0) return false;
  try {
    constexpr std::chrono::milliseconds at_once(0);
    if (!roof_.empty()) return process::remove_orphaned_roof(roof_, at_once);
    return process::remove_roofs_of({child_.pid, start_time_}, at_once);
  } catch (const std::system_error&) {
    return false;  // there is no descriptor left for it
  }
}

Error ForkServer::ended_unasked(const platform::Ending& ending) {
  auto report = std::make_shared<CrashReport>();
  report->pid = child_.pid;
  report->service = contract_.service;
  report->status = status_of(ending);
  report->cause = stage_ == Stage::serving ? Cause::fork_server_lost : cause_of(ending);
  report->stderr_tail = errors_->tail();
  report->usage = ending.usage;
  report->uptime = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - launched_at_);
  if (failure_) {
    if (failure_->code() == errc::connect_timeout) report->cause = Cause::connect_timeout;
    return Error(errc{failure_->code().value()}, failure_->what(), failure_->system(), report);
  }
  if (stage_ == Stage::serving)
    return Error(errc::worker_crashed,
                 "the fork server " + std::to_string(report->pid) + " of " + contract_.service +
                     " " + how_it_ended(*report) + ", and its workers with it",
                 {}, report);
  return Error(errc::start_failed,
               "the " + contract_.service + " worker program " + std::to_string(report->pid) + " " +
                   how_it_ended(*report) + " before it was ready" + last_words(*report),
               {}, report);
}

}  // namespace bulkhead::worker
