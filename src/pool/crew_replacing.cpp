// How a crew replaces workers that have ended, or gives that up.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "platform/log.hpp"
#include "pool/crew.hpp"
#include "pool/stop_error.hpp"
#include "worker/crash_stack.hpp"
#include "worker/launch.hpp"
#include "worker/report.hpp"

namespace bulkhead::pool {

void Crew::worker_ended(worker::WorkerProcess& worker) {
  const auto keep = worker.shared_from_this();
  const auto seat = member_of(worker.number());
  if (!seat) return;
  const Member member = *seat;
  auto left = calls_->left(member);
  if (!left) return;
  worker.log_lines();
  const Duty duty = seats_[member].duty;
  seats_[member].worker.reset();
  roster_.left(member);
  size_.left(member);

  std::vector<RunningCall> running;
  for (const auto& open : left->begun)
    running.push_back(worker::running_call(open, worker.ended_at()));
  const bool explained = !running.empty();
  const auto report = worker.report(std::move(running));
  const Error why = worker.was_ready() ? worker::crash_error(report, nullptr, worker.detail())
                                       : worker.start_failure();
  // Counted before the calls are told: who has seen the crash sees it in the statistics.
  if (!over() && (duty == Duty::staff || duty == Duty::relief || explained)) note_crash(why);
  note_end(report->cause);
  tell_end(worker, duty, explained, report, why);
  const bool counts = duty == Duty::staff || worker.was_ready();
  if (over() && ending_.stage() < Ending::Stage::closing && counts) count_end(worker);
  calls_->lost(*std::move(left), [&](const rpc::OpenCall& open, rpc::CallLife::Failure failure) {
    const auto& all = report->running;
    const auto call = std::find_if(all.begin(), all.end(),
                                   [&](const RunningCall& each) { return each.id == open.id; });
    // One that only this worker could run, and that waited for it, was not run.
    const Error crash =
        worker::crash_error(report, call == all.end() ? nullptr : &*call, worker.detail());
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
  } else if (duty == Duty::relief && report->cause != Cause::fork_server_lost) {
    back_off(worker.uptime());
  }
  close_idle_sources();
  proceed_with_reload();
  recycle();
  look();
}

// Its workers end with it. Unasked it counts as one crash, however many they are.
void Crew::source_ended(worker::Source& source, std::optional<Error> why) {
  const SourcePtr ended = source.shared_from_this();
  std::erase(sources_, ended);
  if (source_ == ended) source_.reset();
  // With one that has not taken over only the reload fails.
  const bool untried = next_source_ == ended && !reload_.taken_over();
  if (why && !over() && !untried) back_off(std::chrono::nanoseconds::zero());
  // First of all: once its workers are gone, too, it would look as if all had been replaced.
  if (next_source_ == ended && why) fail_reload(*why);
  for_each_worker([&](Member, worker::WorkerProcess& worker) {
    if (worker.source() == ended) worker.lost_source(why);
  });
  if (why && !over() && !untried) set_back(*why);
  proceed_with_reload();
  look();
}

void Crew::note_crash(const Error& why) {
  platform::logger()->warn("{}", why.what());
  const std::lock_guard lock(mutex_);
  ++crashes_;
  if (const auto& report = detail::Reports::of(why)) last_crash_ = report;
}

void Crew::note_end(Cause cause) {
  const std::lock_guard lock(mutex_);
  ++ends_[cause];
  recycled_ += cause == Cause::recycled;
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
  program_decided(why);
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
  if (!std::exchange(told_broken_, true))
    tell({.kind = EventKind::broken,
          .service = plan_.contract.service,
          .report = crash,
          .text = broken.what()});
  platform::logger()->error("{}", broken.what());
}

}  // namespace bulkhead::pool
