// How a crew performs what the rules of ending say (ending.hpp).
#include <algorithm>
#include <utility>

#include "platform/fault.hpp"
#include "pool/crew.hpp"

namespace bulkhead::pool {

Error Crew::shut_down_error() const {
  return Error(errc::shut_down, "the " + plan_.contract.service + " workers were shut down");
}

std::shared_ptr<reactor::Reactor> Crew::hold_reactor() const {
  const std::lock_guard lock(mutex_);
  return reactor_;
}

// Holds the reactor until the end, and is then, as a rule, the last to do so.
template <class Begin>
void Crew::end_by(Begin begin) {
  const auto reactor = hold_reactor();
  if (!reactor) return;  // it has ended
  reactor->post([self = shared_from_this(), begin] { self->end(begin(self->ending_)); });
  ended_.wait(*reactor);
}

ShutdownReport Crew::shut_down(std::chrono::milliseconds grace) {
  end_by([grace](Ending& ending) { return ending.shut_down(Clock::now(), grace); });
  return report();
}

void Crew::kill_now() {
  end_by([](Ending& ending) { return ending.kill_now(Clock::now()); });
}

void Crew::end(Ending::Step first_step) {
  if (ending_.stage() == Ending::Stage::ended) return;  // and its timers may be gone
  if (!std::exchange(ending_noted_, true)) {
    ending_since_ = Clock::now();
    PoolStats stats;
    calls_->fill(stats);
    completed_before_ = stats.completed;
    failed_before_ = stats.failed;
    calls_->refuse(shut_down_error());
    calls_->watch_settled();
    fail_reload(shut_down_error());
  }
  perform(first_step);
  look();
}

void Crew::all_settled() {
  if (const auto reactor = hold_reactor())
    reactor->post([self = shared_from_this()] { self->look(); });
}

void Crew::look() {
  if (!ending_.begun()) return;
  const auto next_step = [this] {
    return ending_.look(calls_->open() > 0, any_worker(), !sources_.empty());
  };
  for (auto step = next_step(); step.act != Act::nothing; step = next_step()) perform(step);
}

bool Crew::any_worker() const {
  return std::any_of(seats_.begin(), seats_.end(),
                     [](const Seat& seat) { return bool(seat.worker); });
}

void Crew::perform(const Ending::Step& step) {
  if (step.wake_at) wake_at(*step.wake_at);
  if (over()) timers_->restart.stop();
  const auto kill_all = [this] {
    for_each_worker([](Member, worker::WorkerProcess& worker) { worker.kill(Cause::shut_down); });
  };
  switch (step.act) {
    case Act::nothing:
      return;
    case Act::ask_to_leave:
      platform::fault_point("app.before_asking_to_leave");
      return for_each_worker([this](Member member, worker::WorkerProcess& worker) {
        if (!worker.was_ready()) return worker.kill(Cause::shut_down);
        if (seats_[member].duty == Duty::leaving) return;
        worker.asked_to_leave();
        calls_->ask_to_leave(member);
      });
    case Act::fail_and_terminate:
      calls_->fail_all(shut_down_error());
      platform::fault_point("app.before_terminating");
      return for_each_worker([](Member, worker::WorkerProcess& worker) { worker.terminate(); });
    case Act::fail_and_kill:
      calls_->fail_all(shut_down_error());
      return kill_all();
    case Act::kill:
      return kill_all();
    case Act::give_up:
      give_up();
      [[fallthrough]];
    case Act::close:
      for (const SourcePtr& source : sources_) source->close();
      return;
    case Act::done:
      return finish();
  }
}

void Crew::wake_at(Clock::time_point when) {
  timers_->ending.start(when, weak_from_this(), [this] {
    perform(ending_.time_is_up(Clock::now()));
    look();
  });
}

void Crew::give_up() {
  const std::lock_guard lock(mutex_);
  for_each_worker([this](Member, worker::WorkerProcess& worker) {
    if (worker.pid() != 0 && !worker.dead()) report_.unkillable.push_back(worker.pid());
  });
}

void Crew::count_end(const worker::WorkerProcess& worker) {
  const std::lock_guard lock(mutex_);
  ++(worker.ended_by_itself() ? report_.workers_left : report_.workers_killed);
}

void Crew::finish() {
  timers_->stop();
  PoolStats stats;
  calls_->fill(stats);
  {
    const std::lock_guard lock(mutex_);
    report_.calls_completed = stats.completed - completed_before_;
    report_.calls_failed = stats.failed - failed_before_;
    report_.elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - ending_since_);
  }
  // Not from here: what called this holds the reactor, too.
  reactor_->post([self = shared_from_this()] {
    self->timers_.reset();
    {
      const std::lock_guard lock(self->mutex_);
      self->reactor_.reset();
    }
    self->ended_.happen();
  });
}

}  // namespace bulkhead::pool
