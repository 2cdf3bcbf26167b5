#include "worker/fork_server.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <csignal>

#include "platform/fault.hpp"
#include "platform/host.hpp"
#include "platform/log.hpp"
#include "platform/proc.hpp"
#include "platform/socket.hpp"
#include "process/roof.hpp"
#include "worker/report.hpp"

namespace bulkhead::worker {

namespace {

constexpr int control_number = 3;  // of the control socket, in the launched program
// Its workers are dead when it is asked to end: what is left to do takes a moment, unless it hangs.
constexpr std::chrono::seconds patience_to_leave{2};

process::Program plan(const Launch& launch, const std::string& service) {
  process::Program program;
  // By this name the kernel finds the image that this process runs, also when its file has moved.
  program.path = launch.program().empty() ? "/proc/self/exe" : launch.program().string();
  program.arguments = {launch.program().empty() ? platform::own_executable() : program.path};
  program.arguments.insert(program.arguments.end(), launch.arguments().begin(),
                           launch.arguments().end());
  program.environment = process::make_environment(platform::environment(), launch.environment(),
                                                  {"BULKHEAD_CONNECT_TIMEOUT"});
  for (auto& entry : launch_environment(service, control_number))
    program.environment.push_back(std::move(entry));
  if (!launch.directory().empty()) program.working_directory = launch.directory().string();
  program.new_session = true;
  // The reactor's thread spawns it, and lives as long as it does. Once it serves, it watches the
  // app itself, so that it can end its workers' trees in good order.
  program.dies_with_parent_thread = true;
  return program;
}

}  // namespace

ForkServer::ForkServer(std::shared_ptr<reactor::Reactor> reactor, const detail::Contract& contract,
                       std::weak_ptr<Listener> listener)
    : reactor_(std::move(reactor)),
      contract_(contract),
      listener_(std::move(listener)),
      launched_at_(std::chrono::steady_clock::now()),
      control_(*reactor_),
      process_(*reactor_),
      timer_(*reactor_) {}

std::shared_ptr<ForkServer> ForkServer::launch(std::shared_ptr<reactor::Reactor> reactor,
                                               const Launch& program,
                                               const detail::Contract& contract,
                                               std::chrono::milliseconds connect_timeout,
                                               std::weak_ptr<Listener> listener) {
  std::shared_ptr<ForkServer> server(
      new ForkServer(std::move(reactor), contract, std::move(listener)));
  server->spawn(program);
  server->watch(connect_timeout);
  return server;
}

void ForkServer::spawn(const Launch& launch) {
  try {
    platform::SocketPair control = platform::packet_pair();
    platform::Pipe output = platform::make_pipe(), errors = platform::make_pipe();
    process::Program program = plan(launch, contract_.service);
    program.descriptors = {
        {output.write.get(), 1}, {errors.write.get(), 2}, {control.theirs.get(), control_number}};
    child_ = process::spawn(program);
    start_time_ = platform::start_time(child_.pid).value_or(0);
    platform::fault_point("app.after_launch");
    control_socket_ = std::move(control.ours);
    output_.emplace(*reactor_, std::move(output.read), 1);
    errors_.emplace(*reactor_, std::move(errors.read), 2);
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
      else if (stage_ != Stage::ended)
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
  stage_ = Stage::preparing;
}

void ForkServer::take_notice(const Notice& notice, std::vector<platform::Fd> fds) {
  if (const auto* serving = std::get_if<Serving>(&notice)) return take(*serving);
  if (const auto* refused = std::get_if<Refused>(&notice))
    return fail(Error(errc::start_failed,
                      contract_.service + " workers could not be started: " + refused->why));
  if (const auto* started = std::get_if<Started>(&notice)) {
    if (fds.empty()) return;
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
    tell([&](Listener& listener) { listener.worker_reaped(ended->number, ended->ending); });
  }
}

void ForkServer::take(const Serving& notice) {
  roof_ = notice.roof;
  stage_ = Stage::serving;
  timer_.stop();
  tell([](Listener& listener) { listener.fork_server_serves(); });
}

// ------------------------------------------------------------ what it is told

void ForkServer::send(const Order& order, std::span<const int> fds) {
  const auto sent = platform::send_packet(control_socket_, pack(order), fds);
  if (sent == platform::Sent::would_block) {
    platform::logger()->error("the {} fork server {} takes no orders any more: it is ended",
                              contract_.service, pid());
    kill();
  }
}

void ForkServer::start_worker(const StartWorker& order, const platform::Fd& doorbell,
                              const platform::Fd& output, const platform::Fd& errors) {
  const std::array<int, 3> fds{doorbell.get(), output.get(), errors.get()};
  send(order, fds);
}

void ForkServer::signal_worker(WorkerNumber number, int signal) {
  if (stage_ == Stage::serving && !asked_to_end_) send(SignalWorker{number, signal});
}

void ForkServer::close() {
  if (asked_to_end_ || stage_ == Stage::ended) return;
  asked_to_end_ = true;
  platform::fault_point("app.before_close");
  if (stage_ != Stage::serving) return kill();
  control_.stop();
  control_socket_.reset();
  timer_.start(std::chrono::steady_clock::now() + patience_to_leave, weak_from_this(),
               [this] { kill(); });
}

void ForkServer::kill() {
  // Before it serves it may be any program, with children in its own process group.
  if (stage_ == Stage::launching || stage_ == Stage::preparing)
    platform::signal_group(child_.pid, SIGKILL);
  child_.pidfd.signal(SIGKILL);
}

void ForkServer::timed_out(std::chrono::milliseconds connect_timeout) {
  if (stage_ == Stage::serving || stage_ == Stage::ended) return;
  fail(Error(errc::connect_timeout,
             "the " + contract_.service + " worker program " + std::to_string(pid()) +
                 " was not ready within " + std::to_string(connect_timeout.count()) + " ms: " +
                 (stage_ == Stage::launching ? "it has not called serve_if_worker"
                                             : "its preload has not returned")));
}

void ForkServer::fail(const Error& why) {
  if (!failure_) failure_ = why;
  kill();
}

// ------------------------------------------------------------ its end

void ForkServer::process_ended() {
  if (stage_ == Stage::ended) return;
  if (control_.running()) read_control();
  // What it started before it served shares its group, whose number is ours until it is reaped.
  if (stage_ != Stage::serving) platform::signal_group(child_.pid, SIGKILL);
  const auto ending = child_.pidfd.reap(false).value_or(platform::Ending{});
  output_->finish();
  errors_->finish();
  control_.stop();
  control_socket_.reset();
  timer_.stop();
  std::optional<Error> why;
  if (!asked_to_end_) why = ended_unasked(ending);
  stage_ = Stage::ended;
  clear_roof();
  tell([&](Listener& listener) { listener.fork_server_ended(std::move(why)); });
}

// Killed as it began to serve, it had no time to say whether it has made one.
void ForkServer::clear_roof() const {
  constexpr std::chrono::seconds timeout(1);
  if (!roof_.empty())
    process::remove_orphaned_roof(roof_, timeout);
  else
    process::remove_roofs_of({child_.pid, start_time_}, timeout);
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
