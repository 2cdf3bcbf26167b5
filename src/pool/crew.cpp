#include "pool/crew.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "platform/log.hpp"
#include "pool/stop_error.hpp"
#include "worker/launch.hpp"
#include "worker/plan.hpp"
#include "worker/report.hpp"

namespace bulkhead::pool {

Crew::Crew(Plan plan, const std::shared_ptr<reactor::Reactor>& reactor)
    : plan_(std::move(plan)),
      program_(worker::fork_server_program(plan_.options.launch, plan_.contract.service)),
      connect_timeout_(worker::connect_timeout(plan_.options.connect_timeout)),
      seats_(staff_to_be() + 1),
      roster_(plan_.options.workers),
      openings_(staff_to_be()),
      restart_(plan_.options.restart),
      restart_timer_(std::in_place, *reactor),
      ending_timer_(std::in_place, *reactor),
      rounds_timer_(std::in_place, *reactor),
      deadline_timer_(std::in_place, *reactor),
      reactor_(reactor) {
  seats_.back().decided = true;  // the first workers take the others
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
                             .poison = plan_.options.poison_limit};
  calls_ = std::make_shared<Calls>(plan_.contract.service, limits, weak_from_this());
}

void Crew::start() {
  make_calls();
  reactor_->post([self = shared_from_this()] { self->launch_source(); });
  started_.wait(*reactor_);
  if (someone_got_ready_) return;
  const Error failure = *first_failure_;
  kill_now();
  throw failure;
}

void Crew::fill(PoolStats& stats) const {
  calls_->fill(stats);
  const std::lock_guard lock(mutex_);
  stats.crashes = crashes_;
  stats.restarts = restarts_;
}

std::shared_ptr<const CrashReport> Crew::last_crash() const {
  const std::lock_guard lock(mutex_);
  return last_crash_;
}

pid_t Crew::pid() const {
  const std::lock_guard lock(mutex_);
  return last_pid_;
}

// ------------------------------------------------------------ starting

// Throws Error.
Crew::Server Crew::launch() {
  try {
    return servers_.emplace_back(worker::ForkServer::launch(reactor_, program_, plan_.contract,
                                                            connect_timeout_, weak_from_this()));
  } catch (const Error&) {
    throw;
  } catch (const std::system_error& error) {
    throw Error(errc::start_failed,
                plan_.contract.service + " workers could not be started: " + error.what(),
                error.code());
  }
}

void Crew::launch_source() {
  try {
    source_ = launch();
  } catch (const Error& why) {
    back_off(std::chrono::nanoseconds::zero());
    set_back(why);
  }
}

void Crew::fork_server_serves(worker::ForkServer& server) {
  if (source_.get() == &server) {
    fill_openings();
    start_again();
  } else if (next_source_.get() == &server) {
    reload_.serves();
    proceed_with_reload();
  }
}

void Crew::fill_openings() {
  if (over()) return;
  const auto due =
      std::erase_if(openings_, [now = Clock::now()](const auto at) { return at <= now; });
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

void Crew::start_worker(const Server& server, Duty duty) {
  const Member member = free_seat();
  try {
    auto worker = worker::WorkerProcess::start(
        reactor_, server, ++last_number_, plan_.contract.service, connect_timeout_,
        plan_.options.max_message, plan_.options.bytes, weak_from_this());
    calls_->seat(member, worker);
    seats_[member].worker = std::move(worker);
    seats_[member].duty = duty;
    const std::lock_guard lock(mutex_);
    restarts_ += duty == Duty::staff && started_.happened();
  } catch (const std::system_error& error) {
    const Error why(errc::start_failed,
                    "a " + plan_.contract.service + " worker could not be started: " + error.what(),
                    error.code());
    if (duty == Duty::candidate) return fail_reload(why);
    note_crash(why);
    back_off(std::chrono::nanoseconds::zero());
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
  someone_got_ready_ = true;
  if (!ending_.begun()) calls_->refuse(std::nullopt);
  roster_.ready(member);
  call_up();
  decided(member, std::nullopt);
  if (seats_[member].duty == Duty::candidate) candidate_ready(member);
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
    if (worker.dead() || worker.fork_server()->dead()) {
      roster_.left(*member);
      continue;
    }
    calls_->joined(*member);
    anyone = true;
  }
  return anyone;
}

void Crew::decided(Member member, std::optional<Error> failure) {
  if (std::exchange(seats_[member].decided, true)) return;
  if (failure && !first_failure_) first_failure_ = std::move(failure);
  const bool all =
      std::all_of(seats_.begin(), seats_.end(), [](auto& seat) { return seat.decided; });
  if (all) started_.happen();
}

// ------------------------------------------------------------ what happens to workers

std::optional<Crew::Member> Crew::member_of(worker::WorkerNumber number) const {
  for (Member member = 0; member < seats_.size(); ++member)
    if (seats_[member].worker && seats_[member].worker->number() == number) return member;
  return std::nullopt;
}

void Crew::worker_started(worker::WorkerNumber number, pid_t pid, platform::Pidfd process) {
  if (const auto member = member_of(number))
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

void Crew::rounds_are_due() {
  if (const auto reactor = hold_reactor())
    reactor->post([self = shared_from_this()] { self->make_rounds(); });
}

// For as long as threads come and go.
void Crew::make_rounds() {
  constexpr auto every = std::chrono::milliseconds(1);
  if (!rounds_timer_) return;  // all is over
  rounds_timer_->start(Clock::now() + every, weak_from_this(), [this] {
    if (calls_->make_round()) make_rounds();
  });
}

void Crew::deadline_ahead(Clock::time_point when) {
  if (const auto reactor = hold_reactor())
    reactor->post([self = shared_from_this(), when] { self->look_at_deadlines(when); });
}

void Crew::look_at_deadlines(Clock::time_point when) {
  if (!deadline_timer_ || (next_look_ && *next_look_ <= when)) return;
  next_look_ = when;
  deadline_timer_->start(when, weak_from_this(), [this] {
    next_look_.reset();
    if (const auto next = calls_->look_at_deadlines()) look_at_deadlines(*next);
  });
}

void Crew::worker_overdue(Calls::Worker worker, Cause why) {
  if (const auto reactor = hold_reactor())
    reactor->post([worker = std::move(worker), why] { worker->kill(why); });
}

namespace {

// Keeps the reactor until the call has had its turns.
void post_turn(const std::shared_ptr<reactor::Reactor>& reactor,
               const std::shared_ptr<detail::Call>& call) {
  reactor->post([reactor, call] {
    if (call->tell_progress()) post_turn(reactor, call);
  });
}

}  // namespace

bool Crew::progress_came(const std::shared_ptr<detail::Call>& call) {
  const auto reactor = hold_reactor();
  if (reactor) post_turn(reactor, call);
  return reactor != nullptr;
}

void Crew::worker_violated(Calls::Worker worker, std::string how) {
  const auto reactor = hold_reactor();
  if (!reactor) return;
  reactor->post([self = shared_from_this(), worker = std::move(worker), how = std::move(how)] {
    // Calls have been failed under its hands: what it still answers is no fault of its own.
    if (self->ending_.stage() != Ending::Stage::terminating)
      worker->kill(Cause::protocol_violation, how);
  });
}

void Crew::worker_ended(worker::WorkerProcess& worker) {
  const auto keep = worker.shared_from_this();
  const auto seat = member_of(worker.number());
  if (!seat) return;
  const Member member = *seat;
  auto left = calls_->left(member);
  if (!left) return;
  const Duty duty = seats_[member].duty;
  seats_[member].worker.reset();
  roster_.left(member);

  std::vector<RunningCall> running;
  for (const auto& open : left->begun)
    running.push_back(worker::running_call(open, worker.ended_at()));
  const bool explained = !running.empty();
  const auto report = worker.report(std::move(running));
  const Error why = worker.was_ready() ? worker::crash_error(report, nullptr, worker.detail())
                                       : worker.start_failure();
  // Counted before the calls are told: who has seen the crash sees it in the statistics.
  if (!over() && (duty == Duty::staff || explained)) note_crash(why);
  const bool counts = duty == Duty::staff || worker.was_ready();
  if (over() && ending_.stage() < Ending::Stage::closing && counts) count_end(worker);
  calls_->lost(*std::move(left), [&](const rpc::OpenCall& open, rpc::CallLife::Failure failure) {
    const RunningCall call = worker::running_call(open, worker.ended_at());
    const Error crash = worker::crash_error(report, &call, worker.detail());
    if (failure == rpc::CallLife::Failure::crashed) return crash;
    return stop_error(plan_.contract.service, *open.call, failure, crash.what(), report);
  });
  const bool spare_took_over = call_up();
  if (duty == Duty::staff) {
    // One that died with its fork server is part of that crash.
    if (!explained && report->cause != Cause::fork_server_lost) back_off(worker.uptime());
    const auto now = Clock::now();
    const auto allowed = explained ? Restart::explained(now) : next_start_;
    vacate(member, why, spare_took_over ? std::max(allowed, Restart::behind_spare(now)) : allowed);
    replan(why);
  } else if (duty == Duty::candidate) {
    fail_reload(why);
  }
  close_idle_servers();
  proceed_with_reload();
  look();
}

// Its workers end with it. Unasked it counts as one crash, however many they are.
void Crew::fork_server_ended(worker::ForkServer& server, std::optional<Error> why) {
  const Server ended = server.shared_from_this();
  std::erase(servers_, ended);
  if (source_ == ended) source_.reset();
  // With one that has not taken over only the reload fails.
  const bool untried = next_source_ == ended && !reload_.taken_over();
  if (why && !over() && !untried) back_off(std::chrono::nanoseconds::zero());
  // First of all: once its workers are gone, too, it would look as if all had been replaced.
  if (next_source_ == ended && why) fail_reload(*why);
  for_each_worker([&](Member, worker::WorkerProcess& worker) {
    if (worker.fork_server() == ended) worker.lost_fork_server(why);
  });
  if (why && !over() && !untried) set_back(*why);
  proceed_with_reload();
  look();
}

void Crew::note_crash(const Error& why) {
  platform::logger()->warn("{}", why.what());
  const std::lock_guard lock(mutex_);
  ++crashes_;
  if (why.crash()) last_crash_ = std::make_shared<CrashReport>(*why.crash());
}

void Crew::back_off(std::chrono::nanoseconds uptime) {
  const double chance = std::uniform_real_distribution<double>(0.0, 1.0)(dice_);
  next_start_ = std::max(next_start_, restart_.unexplained(Clock::now(), uptime, chance));
}

void Crew::vacate(Member member, const Error& why, Clock::time_point start_at) {
  openings_.push_back(start_at);
  decided(member, why);
}

// There is no fork server to start workers from, or one of several is lost with its workers.
void Crew::set_back(const Error& why) {
  platform::logger()->warn("{}", why.what());
  // What a lone worker's calls are told is its own end, which is seen before or after this one.
  if (plan_.lone && last_number_ > 0) return;
  for (auto& start_at : openings_) start_at = next_start_;
  for (Member member = 0; member < seats_.size(); ++member)
    if (!seats_[member].worker) decided(member, why);
  replan(why);
}

// What follows from empty places. A lone worker's stays empty.
void Crew::replan(const Error& why) {
  if (over()) return look();
  if (plan_.lone) {
    if (!ending_.begun()) calls_->refuse(why);
    calls_->fail_queued(why);
  } else {
    give_up_if_broken();
    start_again();
  }
  look();
}

void Crew::give_up_if_broken() {
  const bool anyone = std::any_of(seats_.begin(), seats_.end(), [](const Seat& seat) {
    return seat.worker && seat.duty == Duty::staff && !seat.worker->dead() &&
           seat.worker->was_ready();
  });
  if (!restart_.broken() || anyone) return;
  const auto crash = last_crash();
  const Error broken(
      errc::restart_limit,
      "the " + plan_.contract.service + " pool gave up restarting workers, and tries again in " +
          std::to_string(Restart::pause.count()) + " s: too many crashes that no request explains" +
          (crash ? "; the last: worker " + std::to_string(crash->pid) + " " +
                       worker::how_it_ended(*crash) + worker::last_words(*crash)
                 : ""),
      {}, crash);
  if (!ending_.begun()) calls_->refuse(broken);
  calls_->fail_queued(broken);
  platform::logger()->error("{}", broken.what());
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
  restart_timer_->start(when, weak_from_this(), [this] {
    // A reload is about to have one, or else asks again; unless it waits for a worker's last calls.
    if (!source_ && (!next_source_ || view().leaving)) return launch_source();
    if (!source_) return;
    if (source_->serving()) fill_openings();
    start_again();
  });
}

}  // namespace bulkhead::pool
