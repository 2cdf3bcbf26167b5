#include "pool/history.hpp"

#include "bulkhead/detail/worker_set.hpp"

namespace bulkhead::test {

using namespace std::chrono_literals;

std::shared_ptr<History> History::make(std::uint64_t seed,
                                       std::vector<std::unique_ptr<Puppet>>& puppets) {
  auto history = std::make_shared<History>(seed);
  History& h = *history;
  h.places_.resize(1 + h.below(4));
  h.attempts_ = 1 + static_cast<unsigned>(h.below(3));
  const bool several = h.one_in(4);
  for (Member member = 0; member < h.places_.size(); ++member) {
    Puppet& puppet = *puppets[member];
    const std::size_t at_once = several ? 1 + h.below(3) : 1;
    if (at_once != puppet.at_once()) puppet.runs(at_once);
    h.one_by_one_ &= at_once == 1;
    h.places_[member].puppet = &puppet;
  }
  h.calls_ = std::make_shared<pool::Calls>("simulated",
                                           pool::Calls::Limits{.members = h.places_.size(),
                                                               .queue = 3 + h.below(60),
                                                               .message = 1 << 20,
                                                               .attempts = h.attempts_,
                                                               .kill_grace = 0s,
                                                               .poison = 2},
                                           history);
  return history;
}

std::string History::play() {
  for (Member member = 0; member < places_.size(); ++member)
    if (!one_in(5)) join(member);
  for (std::size_t steps = 20 + below(100); steps > 0 && complaint_.empty(); --steps) {
    step();
    do_what_was_told();
    check_nobody_idles();
  }
  one_in(3) ? end_by_shutting_down() : end_by_draining();
  check_end();
  return complaint_;
}

void History::step() {
  using Act = void (History::*)();
  struct Choice {
    unsigned weight;
    Act act;
  };
  static constexpr Choice choices[] = {{30, &History::ask},      {1, &History::ask_each_worker},
                                       {30, &History::begin},    {25, &History::answer},
                                       {25, &History::look},     {3, &History::die},
                                       {8, &History::come_back}, {2, &History::retire},
                                       {8, &History::call_off},  {8, &History::look_at_deadlines},
                                       {4, &History::make_round}};
  std::size_t sum = 0;
  for (const Choice& choice : choices) sum += choice.weight;
  std::size_t drawn = below(sum);
  for (const Choice& choice : choices) {
    if (drawn < choice.weight) return (this->*choice.act)();
    drawn -= choice.weight;
  }
}

// ------------------------------------------------------------ what may happen

void History::submit(bool idempotent, RunOptions options, std::uint64_t only_for) {
  const auto& type = idempotent ? detail::request_type<Simulated, RunAgain>
                                : detail::request_type<Simulated, RunOnce>;
  auto call = std::make_shared<detail::TypedCall<int>>(type);
  call->only_for = only_for;
  asked_.push_back({call, options, idempotent});
  asked_.back().broadcast = only_for != 0;
  if (detail::begin_steering(*call, options)) return complain("a call was refused early");
  RunOnce request;
  request.call = static_cast<int>(asked_.size()) - 1;
  detail::encode(call->request, request);
  calls_->submit(call, &options);
}

void History::ask() {
  for (std::size_t count = one_in(5) ? 1 + below(20) : 1; count > 0; --count) {
    RunOptions options;
    if (one_in(6)) options.timeout = one_in(2) ? 1ns : 1h;
    if (one_in(8)) options.run_timeout = one_in(2) ? 1ns : 1h;
    if (one_in(5)) options.priority = static_cast<int>(below(3)) - 1;
    if (one_in(4)) options.key = std::to_string(below(4));
    submit(one_in(2), options);
  }
}

void History::ask_each_worker() {
  for (const std::uint64_t number : calls_->ready_workers()) submit(one_in(2), {}, number);
}

std::optional<History::Member> History::some_place(bool there) {
  const Member member = below(places_.size());
  return places_[member].there == there ? std::optional(member) : std::nullopt;
}

History::Asked& History::asked_by(const std::vector<std::byte>& request) {
  return asked_.at(static_cast<std::size_t>(detail::decode<RunOnce>(request).call));
}

void History::begin() {
  const auto member = some_place(true);
  if (!member) return;
  const auto request = places_[*member].puppet->begin();
  if (request.empty()) return;
  Asked& asked = asked_by(request);
  ++asked.begun;
  if (asked.begun > 1 && !asked.idempotent) complain("one that may run once was begun twice");
  if (asked.call->ready()) complain("one that had ended was begun");
}

void History::answer() {
  const auto member = some_place(true);
  if (!member || places_[*member].puppet->running() == 0) return;
  Puppet& puppet = *places_[*member].puppet;
  const bool throws = one_in(10);
  ++asked_by(puppet.answer(below(puppet.running()), throws)).answered;
  if (one_in(2)) calls_->rang(*member);
}

void History::look() {
  if (const auto member = some_place(true)) calls_->rang(*member);
}

void History::die() {
  if (const auto member = some_place(true)) leave(*member, true);
}

void History::come_back() {
  if (const auto member = some_place(false)) join(*member);
}

void History::retire() {
  const auto member = some_place(true);
  if (!member || places_[*member].retired) return;
  places_[*member].retired = true;
  calls_->retire(*member);
}

void History::call_off() {
  if (asked_.empty()) return;
  Asked& asked = asked_[below(asked_.size())];
  if (asked.call->ready()) return;
  asked.called_off = true;
  constexpr detail::Stop ways[] = {detail::Stop::total, detail::Stop::partial,
                                   detail::Stop::terminal};
  asked.call->cancel(ways[below(3)]);
}

void History::look_at_deadlines() { calls_->look_at_deadlines(); }
void History::make_round() { calls_->make_round(); }

// ------------------------------------------------------------ workers

void History::join(Member member) {
  Place& place = places_[member];
  place.there = true;
  place.retired = false;
  calls_->seat(member, place.puppet->app_side());
  calls_->joined(member);
}

void History::leave(Member member, bool dead) {
  Place& place = places_[member];
  auto left = calls_->left(member);
  if (!left) return complain("a worker's end was put off, though nobody receives from it");
  if (!dead && !(left->begun.empty() && left->not_begun.empty()))
    complain("a worker that was told to have nothing left had calls");
  place.there = false;
  place.puppet->is_replaced();
  calls_->lost(*std::move(left), [](const rpc::OpenCall&, rpc::CallLife::Failure failure) {
    using Failure = rpc::CallLife::Failure;
    return Error(failure == Failure::cancelled  ? errc::cancelled
                 : failure == Failure::deadline ? errc::deadline_exceeded
                                                : errc::worker_crashed,
                 "simulated");
  });
}

void History::do_what_was_told() {
  for (const Member member : std::exchange(to_die_, {}))
    if (places_[member].there) leave(member, true);
  for (const Member member : std::exchange(to_leave_, {}))
    if (places_[member].there && places_[member].retired) leave(member, false);
}

void History::worker_violated(pool::Calls::Worker, std::string how) {
  complain("a worker that keeps the rules is told to break them: " + how);
}

void History::worker_spent(pool::Calls::Worker worker) {
  for (Member member = 0; member < places_.size(); ++member)
    if (places_[member].puppet->app_side() == worker) to_leave_.insert(member);
}

void History::worker_overdue(pool::Calls::Worker worker, Cause) {
  for (Member member = 0; member < places_.size(); ++member)
    if (places_[member].puppet->app_side() == worker) to_die_.insert(member);
}

// ------------------------------------------------------------ ending

// No worker dies any more: all must come to an end.
void History::end_by_draining() {
  const auto busy = [this] {
    PoolStats stats;
    calls_->fill(stats);
    return calls_->open() > 0 || stats.in_flight > 0;  // those that were given up run on
  };
  for (int rounds = 0; busy() && complaint_.empty(); ++rounds) {
    if (rounds > 2000) return complain("calls are open for ever");
    for (Member member = 0; member < places_.size(); ++member) {
      if (!places_[member].there) join(member);
      while (true) {
        const auto request = places_[member].puppet->begin();
        if (request.empty()) break;
        ++asked_by(request).begun;
      }
      while (places_[member].puppet->running() > 0)
        ++asked_by(places_[member].puppet->answer(0, false)).answered;
      calls_->rang(member);
    }
    do_what_was_told();
    check_nobody_idles();
  }
}

void History::end_by_shutting_down() {
  for (Member member = 0; member < places_.size(); ++member)
    if (places_[member].there) calls_->rang(member);  // what is answered later is a violation
  do_what_was_told();
  shut_down_ = true;
  calls_->fail_all(Error(errc::shut_down, "simulated"));
}

void History::check_end() {
  if (!complaint_.empty()) return;
  PoolStats stats;
  calls_->fill(stats);
  if (stats.queued != 0 || stats.in_flight != 0) complain("at the end the pool still counts calls");
  if (stats.completed + stats.failed != asked_.size())
    complain("of " + std::to_string(asked_.size()) + " calls " + std::to_string(stats.completed) +
             " were answered and " + std::to_string(stats.failed) + " failed");
  for (const Asked& asked : asked_) check(asked);
  for (Member member = 0; member < places_.size(); ++member)
    if (places_[member].there) leave(member, shut_down_);
}

// ------------------------------------------------------------ what must be

// Where each worker runs one call at a time, nothing holds up a call but want of workers.
void History::check_nobody_idles() {
  const auto someone_idles = [this] {
    PoolStats stats;
    calls_->fill(stats);
    return calls_->waiting_for_anyone() > 0 && stats.in_flight < stats.workers;
  };
  if (!one_by_one_ || shut_down_ || !someone_idles()) return;
  // What was answered by now may not have been seen.
  for (Member member = 0; member < places_.size(); ++member)
    if (places_[member].there) calls_->rang(member);
  do_what_was_told();
  if (someone_idles()) complain("calls wait, and a worker has none");
}

void History::check(const Asked& asked) {
  if (!asked.call->ready()) return complain("a call never ended");
  try {
    asked.call->throw_if_failed();
    if (asked.answered == 0) complain("a call was answered by nobody");
    if (asked.call->take() != &asked - asked_.data()) complain("a call got another one's answer");
  } catch (const Error& error) {
    const auto code = static_cast<errc>(error.code().value());
    if (!may_end_with(asked, code)) complain("a call ended with: " + error.code().message());
  }
}

bool History::may_end_with(const Asked& asked, errc code) const {
  const bool has_key = !asked.options.key.empty();
  switch (code) {
    case errc::handler_failed:
      return asked.answered > 0;
    case errc::worker_crashed:
      return asked.broadcast || (asked.begun > 0 && asked.answered == 0);
    case errc::cancelled:
      return asked.called_off;
    case errc::deadline_exceeded:
      return asked.options.timeout == 1ns || asked.options.run_timeout == 1ns;
    case errc::request_quarantined:
      return has_key;
    case errc::queue_full:
      return asked.begun == 0 && !asked.broadcast;
    case errc::not_running:
      return asked.begun == 0 && asked.broadcast;
    case errc::shut_down:
      return shut_down_;
    default:
      return false;
  }
}

void History::complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

}  // namespace bulkhead::test
