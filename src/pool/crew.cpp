#include "pool/crew.hpp"

#include <algorithm>
#include <utility>

#include "platform/fault.hpp"
#include "platform/proc.hpp"
#include "worker/fork_server.hpp"
#include "worker/launch.hpp"
#include "worker/plan.hpp"

namespace bulkhead::pool {

namespace {

// More of them come and go at once where there are many.
std::size_t seats_beside(std::size_t workers) { return std::clamp<std::size_t>(workers / 8, 1, 4); }

Size::Limits size_limits(const PoolOptions& options) {
  const bool is_fixed = options.min_workers == 0 && !options.lazy;
  const std::size_t least = is_fixed ? options.workers : options.min_workers;
  return {.at_first = options.lazy ? 0 : least,
          .least = least,
          .most = options.workers,
          .idle_timeout = options.idle_timeout};
}

Wear::Limits wear_limits(const PoolOptions& options) {
  return {.requests = options.recycle_after_requests,
          .memory = options.recycle_above_rss,
          .growth = options.recycle_above_growth,
          .age = options.recycle_after_age};
}

}  // namespace

Crew::Crew(Plan plan, const std::shared_ptr<reactor::Reactor>& reactor,
           std::shared_ptr<Events> events)
    : plan_(std::move(plan)),
      program_(plan_.in_process
                   ? process::Program()
                   : worker::fork_server_program(plan_.options.launch, plan_.contract.service)),
      connect_timeout_(worker::connect_timeout(plan_.options.connect_timeout)),
      wear_limits_(wear_limits(plan_.options)),
      events_(std::move(events)),
      size_(size_limits(plan_.options)),
      seats_(most_staff() + seats_beside(plan_.options.workers)),
      roster_(size_.now()),
      openings_(staff_to_be()),
      restart_(plan_.options.restart),
      timers_(std::in_place, *reactor),
      reactor_(reactor) {
  // The first workers take the others.
  for (Member member = staff_to_be(); member < seats_.size(); ++member)
    seats_[member].decided = true;
  if (!size_.is_fixed()) {
    timers_->growth.emplace(*reactor);
    timers_->idle.emplace(*reactor);
  }
  if (wear_limits_.any()) timers_->recycling.emplace(*reactor);
  if (wear_limits_.age.count() > 0) timers_->age.emplace(*reactor);
  if (wear_limits_.watch_memory()) timers_->memory.emplace(*reactor);
  if (plan_.options.heartbeat.count() > 0) timers_->beat.emplace(*reactor);
}

std::shared_ptr<Crew> Crew::make(Plan plan, const std::shared_ptr<reactor::Reactor>& reactor,
                                 std::shared_ptr<Events> events) {
  std::shared_ptr<Crew> crew(new Crew(std::move(plan), reactor, std::move(events)));
  crew->make_calls();
  return crew;
}

void Crew::make_calls() {
  const Calls::Limits limits{.members = seats_.size(),
                             .queue = plan_.options.queue_limit,
                             .message = plan_.options.max_message,
                             .attempts = plan_.options.max_attempts,
                             .bytes = plan_.options.bytes,
                             .kill_grace = plan_.options.kill_grace,
                             .queue_wait = plan_.options.on_full == OnFull::wait
                                               ? std::optional(plan_.options.queue_wait)
                                               : std::nullopt,
                             .poison = plan_.options.poison_limit,
                             .events = events_};
  calls_ = std::make_shared<Calls>(plan_.contract.service, limits, weak_from_this());
}

void Crew::start() {
  reactor_->post([self = shared_from_this()] { self->launch_source(); });
  started_.wait(*reactor_);
  if (someone_got_ready_ || !first_failure_) return;
  const Error failure = *first_failure_;
  kill_now();
  throw failure;
}

void Crew::fill(PoolStats& stats) const {
  calls_->fill(stats);
  calls_->fill(stats.each);
  for (WorkerStats& worker : stats.each)
    if (worker.pid != 0) worker.memory = platform::resident_bytes(worker.pid);
  const std::lock_guard lock(mutex_);
  stats.crashes = crashes_;
  stats.restarts = restarts_;
  stats.recycled = recycled_;
  stats.ends = ends_;
}

std::shared_ptr<const CrashReport> Crew::last_crash() const {
  const std::lock_guard lock(mutex_);
  return last_crash_;
}

Containment Crew::containment() const {
  const std::lock_guard lock(mutex_);
  return containment_;
}

pid_t Crew::pid() const {
  const std::lock_guard lock(mutex_);
  return last_pid_;
}

// ------------------------------------------------------------ starting

// Throws Error.
Crew::SourcePtr Crew::launch() {
  try {
    return sources_.emplace_back(launch_any());
  } catch (const Error&) {
    throw;
  } catch (const std::system_error& error) {
    throw Error(errc::start_failed,
                plan_.contract.service + " workers could not be started: " + error.what(),
                error.code());
  }
}

Crew::SourcePtr Crew::launch_any() {
  if (plan_.in_process)
    return worker::ThreadServer::launch(reactor_, plan_.contract.service, *plan_.in_process,
                                        weak_from_this());
  const Sandbox& sandbox = plan_.options.sandbox;
  return worker::ForkServer::launch(reactor_, program_, plan_.contract,
                                    {worker::confinement_of(sandbox), sandbox.is_best_effort()},
                                    connect_timeout_, weak_from_this());
}

void Crew::launch_source() {
  try {
    source_ = launch();
  } catch (const Error& why) {
    back_off(std::chrono::nanoseconds::zero());
    set_back(why);
  }
}

void Crew::source_serves(worker::Source& source) {
  {
    const std::lock_guard lock(mutex_);
    containment_ = source.containment();
  }
  if (source_.get() == &source) {
    program_decided({});
    fill_openings();
    start_again();
  } else if (next_source_.get() == &source) {
    reload_.serves();
    proceed_with_reload();
  }
}

void Crew::fill_openings() {
  if (over()) return;
  const auto due =
      std::erase_if(openings_, [now = Clock::now()](const auto at) { return at <= now; });
  if (due > 0 && someone_got_ready_) platform::fault_point("app.before_restart");
  if (due > 0) restart_.try_again();
  for (std::size_t i = 0; i < due; ++i) start_worker(source_, Duty::staff);
}

// At first each has its turn, also when the one before it stays empty.
Crew::Member Crew::free_seat() const {
  const auto found = std::find_if(seats_.begin(), seats_.end(),
                                  [](const Seat& seat) { return !seat.worker && !seat.decided; });
  if (found != seats_.end()) return static_cast<Member>(found - seats_.begin());
  Member member = 0;
  while (seats_[member].worker) ++member;
  return member;
}

void Crew::start_worker(const SourcePtr& source, Duty duty) {
  const Member member = free_seat();
  try {
    auto worker = worker::WorkerProcess::start(
        reactor_, source, ++last_number_, plan_.contract.service,
        {.connect_timeout = connect_timeout_,
         .max_message = plan_.options.max_message,
         .bytes = plan_.options.bytes,
         .heartbeat = plan_.options.heartbeat,
         .limits = plan_.options.sandbox.limits(),
         .tells_output = plan_.options.output != WorkerOutput::inherit},
        weak_from_this());
    calls_->seat(member, worker);
    seats_[member].worker = std::move(worker);
    seats_[member].duty = duty;
    seats_[member].wear.reset();
    seats_[member].worn = false;
    seats_[member].beats = {};
    const std::lock_guard lock(mutex_);
    restarts_ += duty == Duty::staff && started_.happened();
  } catch (const std::system_error& error) {
    const Error why(errc::start_failed,
                    "a " + plan_.contract.service + " worker could not be started: " + error.what(),
                    error.code());
    if (duty == Duty::candidate) return fail_reload(why);
    note_crash(why);
    back_off(std::chrono::nanoseconds::zero());
    if (duty == Duty::relief) return;
    vacate(member, why, next_start_);
    replan(why);
  }
}

void Crew::worker_ready(worker::WorkerProcess& worker) {
  {
    const std::lock_guard lock(mutex_);
    last_pid_ = worker.pid();
  }
  const Member member = *member_of(worker.number());
  if (seats_[member].duty == Duty::leaving) return;  // it is being ended
  restart_.ready();
  if (std::exchange(told_broken_, false))
    tell({.kind = EventKind::healed, .service = plan_.contract.service, .pid = worker.pid()});
  tell(EventKind::ready, worker);
  someone_got_ready_ = true;
  if (!ending_.begun()) calls_->refuse(std::nullopt);
  begin_wear(member);
  roster_.ready(member);
  call_up();
  decided(member, std::nullopt);
  if (seats_[member].duty == Duty::candidate) candidate_ready(member);
  if (seats_[member].duty == Duty::relief) relief_ready(member);
  start_again();
  if (ending_.begun()) look();
}

// To the places of those that left: whether anyone was. One that is about to leave itself is passed
// over.
bool Crew::call_up() {
  if (over()) return false;
  bool anyone = false;
  while (const auto member = roster_.call_up()) {
    const worker::WorkerProcess& worker = *seats_[*member].worker;
    if (worker.dead() || worker.source()->dead()) {
      roster_.left(*member);
      continue;
    }
    calls_->joined(*member, seats_[*member].wear->answers());
    anyone = true;
  }
  return anyone;
}

void Crew::decided(Member member, std::optional<Error> failure) {
  if (std::exchange(seats_[member].decided, true)) return;
  if (failure && !first_failure_) first_failure_ = std::move(failure);
  all_decided();
}

// Whether it serves, the first time.
void Crew::program_decided(std::optional<Error> failure) {
  if (std::exchange(program_decided_, true)) return;
  if (failure && !first_failure_) first_failure_ = std::move(failure);
  all_decided();
}

void Crew::all_decided() {
  const bool all =
      std::all_of(seats_.begin(), seats_.end(), [](auto& seat) { return seat.decided; });
  if (!all || !program_decided_ || started_.happened()) return;
  // Where there is to be nobody yet, what the program says is all that there is to know.
  if (staff_to_be() == 0 && !first_failure_) someone_got_ready_ = true;
  started_.happen();
  if (size_.may_grow()) calls_->watch_waiting();
  look_at_beats();
}

// Once what is going on has let go of the memory of those that died.
void Crew::start_due() {
  reactor_->post([self = shared_from_this()] {
    if (!self->source_ || !self->source_->serving()) return;
    self->fill_openings();
    self->start_again();
  });
}

// As soon as an empty place may be filled. Not before the first start of each is decided: a pool of
// which nobody gets ready is not tried twice.
void Crew::start_again() {
  if (over() || !started_.happened() || !someone_got_ready_) return;
  if (source_ && !source_->serving()) return;  // it will say when
  if (openings_.empty()) return;
  const auto when = *std::min_element(openings_.begin(), openings_.end());
  if (source_ && when <= Clock::now()) return start_due();
  timers_->restart.start(when, weak_from_this(), [this] {
    // A reload is about to have one, or else asks again; unless it waits for a worker's last calls.
    if (!source_ && (!next_source_ || view().leaving)) return launch_source();
    if (!source_) return;
    if (source_->serving()) fill_openings();
    start_again();
  });
}

// ------------------------------------------------------------ news of single workers

std::optional<Crew::Member> Crew::member_of(worker::WorkerNumber number) const {
  for (Member member = 0; member < seats_.size(); ++member)
    if (seats_[member].worker && seats_[member].worker->number() == number) return member;
  return std::nullopt;
}

void Crew::worker_started(worker::WorkerNumber number, pid_t pid, platform::Pidfd process) {
  const auto member = member_of(number);
  if (!member) return;
  tell({.kind = EventKind::started, .service = plan_.contract.service, .pid = pid});
  seats_[*member].worker->was_started(pid, std::move(process));
}

void Crew::worker_not_started(worker::WorkerNumber number, const Error& why) {
  if (const auto member = member_of(number)) seats_[*member].worker->was_not_started(why);
}

void Crew::worker_reaped(worker::WorkerNumber number, const platform::Ending& ending) {
  if (const auto member = member_of(number)) seats_[*member].worker->was_reaped(ending);
}

void Crew::worker_rang(worker::WorkerProcess& worker) {
  if (worker.ended()) return worker_ended(worker);  // which had to wait for a thread that received
  if (const auto member = member_of(worker.number())) calls_->rang(*member);
}

}  // namespace bulkhead::pool
