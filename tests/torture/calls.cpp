#include "torture/calls.hpp"

#include <csignal>
#include <string>

#include "support/numbered.hpp"
#include "support/pause.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::torture {

namespace {

using test::blob_of, test::Conversation, test::data_of, test::is_blob_of;

constexpr unsigned max_attempts = 3;  // PoolOptions' own

bool one_in(unsigned count, std::mt19937_64& dice) { return dice() % count == 0; }

}  // namespace

Callers::Callers(TorturePool& pool, const Place& place, std::uint64_t seed)
    : pool_(pool), place_(place) {
  for (const std::size_t window : {std::size_t{1}, std::size_t{8}, std::size_t{24}})
    threads_.emplace_back([this, seed, window] { call_until_stopped(seed + window, window); });
}

Callers::~Callers() {
  stop_calling();
  finish();
}

void Callers::stop_calling() {
  const std::unique_lock lock(calling_);
  stop_.request_stop();
}

void Callers::finish() {
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Callers::wrong(const std::string& what) { place_.findings.violation(place_.round, what); }

// ------------------------------------------------------------ calling

void Callers::call_until_stopped(std::uint64_t seed, std::size_t window) {
  std::mt19937_64 dice(seed);
  std::deque<Open> open;
  for (bool more = true; more || !open.empty();) {
    while (more && open.size() < window) more = make_call(dice, open);
    if (open.empty()) break;
    take(std::move(open.front()));
    open.pop_front();
    if (place_.pause.count() != 0) test::pause(stop_.get_token(), place_.pause);
  }
}

// Nobody else waits for the thread that holds a conversation: it goes on until it has ended.
bool Callers::make_call(Dice& dice, std::deque<Open>& open) {
  std::optional<Conversation> conversation;
  {
    const std::shared_lock lock(calling_);
    if (stop_.stop_requested() || place_.findings.any_violation()) return false;
    const std::uint64_t number = place_.board.shared().mark_count++;
    if (number >= Shared::calls) throw std::length_error("the board is full");
    open.push_back(one_in(16, dice) ? begin_stream(number, dice, conversation)
                                    : begin_task(number, dice));
    ++made_;
  }
  Open& call = open.back();
  if (call.called_off && one_in(2, dice)) call.future.cancel();
  if (!conversation) return true;
  const auto end = conversation->hold(1 + dice() % 3);
  if (end == Conversation::End::wrong || end == Conversation::End::overdue)
    wrong(conversation->what());
  call.cut = end == Conversation::End::cut;
  call.answer_size = conversation->items();
  return true;
}

Callers::Open Callers::begin_task(std::uint64_t number, Dice& dice) {
  Open open{.number = number};
  Task task{.number = number};
  const auto some_size = [&] {
    if (!one_in(16, dice)) return dice() % 200;
    return one_in(2, dice) ? place_.large : place_.huge;
  };
  task.data = data_of(number, some_size());
  if (one_in(16, dice)) task.blob = blob_of(number, pool_.make_bytes(place_.large));
  task.answer_size = open.answer_size = some_size();
  task.answer_blob_size = open.answer_blob_size = one_in(16, dice) ? place_.large : 0;
  task.takes_us = one_in(2, dice) ? static_cast<std::uint32_t>(dice() % 2000) : 0;
  task.throws = open.throws = one_in(10, dice);
  task.starts_helper = one_in(200, dice);
  open.idempotent = one_in(2, dice);
  place_.board.shared().marks[number].idempotent = open.idempotent;
  const RunOptions options = some_options(open, dice);
  open.future = open.idempotent ? pool_.run(Retried{std::move(task)}, options)
                                : pool_.run(std::move(task), options);
  return open;
}

Callers::Open Callers::begin_stream(std::uint64_t number, Dice& dice,
                                    std::optional<Conversation>& conversation) {
  Open open{.number = number};
  auto [to_worker, in] = channel<std::string>(Conversation::capacity);
  auto [out, from_worker] = channel<std::string>(Conversation::capacity);
  conversation.emplace(number, std::move(to_worker), std::move(from_worker));
  open.throws = one_in(10, dice);
  Stream stream{
      .number = number, .in = std::move(in), .out = std::move(out), .throws = open.throws};
  open.future = pool_.run(std::move(stream), some_options(open, dice));
  return open;
}

RunOptions Callers::some_options(Open& open, Dice& dice) const {
  RunOptions options;
  open.called_off = place_.calls_off && one_in(8, dice);
  if (open.called_off) options.timeout = std::chrono::microseconds(dice() % 4000);
  return options;
}

// ------------------------------------------------------------ what became of it

void Callers::take(Open open) {
  const auto since = Clock::now();
  if (!open.future.wait_for(test::default_watchdog)) {
    wrong("call " + std::to_string(open.number) + " is not settled after 20 s");
    return;
  }
  try {
    answered(open, open.future.get());
  } catch (const Error& error) {
    failed(open, error, since);
  }
}

void Callers::settled(const Open& open, Outcome outcome, pid_t blamed) {
  Mark& mark = place_.board.shared().marks[open.number];
  mark.blamed = blamed;
  mark.outcome = outcome;
}

void Callers::answered(const Open& open, const Receipt& receipt) {
  if (open.throws) wrong("a call whose handler threw was answered");
  if (open.cut) wrong("a call was answered, and its stream was cut before its end");
  if (receipt.number != open.number || receipt.data != data_of(open.number, open.answer_size) ||
      receipt.blob.size() != open.answer_blob_size || !is_blob_of(open.number, receipt.blob))
    wrong("call " + std::to_string(open.number) + " got the answer of " +
          std::to_string(receipt.number) + ", of " + std::to_string(receipt.data.size()) + " and " +
          std::to_string(receipt.blob.size()) + " bytes");
  settled(open, Outcome::answered, receipt.pid);
  place_.findings.count("calls answered");
}

void Callers::failed(const Open& open, const Error& error, Clock::time_point since) {
  ++failed_;
  switch (static_cast<errc>(error.code().value())) {
    case errc::handler_failed:
      if (!open.throws || std::string(error.what()).find("as it was told to") == std::string::npos)
        wrong(std::string("a call failed with: ") + error.what());
      settled(open, Outcome::threw, 0);
      return place_.findings.count("calls failed: handler_failed");
    case errc::worker_crashed:
      return crashed(open, error, since);
    case errc::deadline_exceeded:
    case errc::cancelled:
      if (!open.called_off) wrong(std::string("a call failed with: ") + error.what());
      settled(open, Outcome::called_off, 0);
      return place_.findings.count("calls called off");
    case errc::shut_down:
      // Told in time by those who end the pool, or seen as the first sign of it.
      settled(open, Outcome::shut_down, 0);
      stop_.request_stop();
      return place_.findings.count("calls failed: shut_down");
    default:
      return wrong(std::string("a call failed with: ") + error.what());
  }
}

void Callers::crashed(const Open& open, const Error& error, Clock::time_point since) {
  const auto now = Clock::now();
  place_.findings.count("calls failed: worker_crashed");
  if (!error.crash()) return wrong("a crash without a report: " + std::string(error.what()));
  const CrashReport& report = *error.crash();
  settled(open, Outcome::crashed, report.pid);
  const Death* const reason = place_.board.reason_of(report.pid);
  if (!reason)
    return wrong("nobody killed the process of this report: " + std::string(error.what()));
  check_status(report);
  check_running(open, error);
  const Clock::time_point died{Clock::duration(reason->when)};
  if (died <= since) return;  // it may have waited for its turn to be looked at
  const bool alone = points[reason->point].victim == Victim::worker;
  (alone ? place_.findings.worker_to_error : place_.findings.fork_server_to_error).add(now - died);
}

// As one of those who were after it made it end.
void Callers::check_status(const CrashReport& report) {
  if (report.cause == Cause::unknown) return place_.findings.count("reports without a status");
  const Born* const born = place_.board.birth_of(report.pid);
  const bool server_died = born && place_.board.death_of(born->parent);
  if (server_died && (report.cause == Cause::fork_server_lost || report.status.signal == SIGKILL))
    return;
  for (const Kind kind : kinds) {
    const int signal = signal_of(kind);
    if (place_.board.was_killed(report.pid, kind) &&
        (signal ? report.status.signal == signal : report.status.code == exit_code))
      return;
  }
  const Death* const death = place_.board.death_of(report.pid);
  wrong("worker " + std::to_string(report.pid) + " died by " +
        (death ? std::string(name_of(death->kind)) + " at " + std::string(points[death->point].name)
               : "the end of its fork server") +
        ", but its report says signal " + std::to_string(report.status.signal.value_or(0)) +
        ", code " + std::to_string(report.status.code.value_or(0)) + ", cause " +
        std::to_string(static_cast<int>(report.cause)));
}

// An idempotent call is given up only by its own crashes, and all but its first attempts run alone.
void Callers::check_running(const Open& open, const Error& error) {
  const CrashReport& report = *error.crash();
  bool alone = true, given_up = !open.idempotent;
  for (const RunningCall& call : report.running) {
    alone = alone && call.attempt == 1;
    given_up = given_up || (call.request == "Retried" && call.attempt >= max_attempts);
  }
  const std::size_t running = report.running.size();
  if (running == 0 || running > place_.threads || (running > 1 && !alone) || !given_up)
    wrong("call " + std::to_string(open.number) +
          " failed, but this must not have run so: " + std::to_string(running) + " calls on " +
          std::to_string(place_.threads) + " threads: " + error.what());
}

// ------------------------------------------------------------ executions

void check_executions(const Board& board, std::uint64_t round, Findings& findings) {
  // Once a call may run beside a crash without being charged.
  const unsigned spared = board.shared().threads > 1;
  for (std::uint32_t number = 0; number < board.shared().mark_count; ++number) {
    const Mark& mark = board.shared().marks[number];
    const unsigned executions = mark.executions, most = mark.idempotent ? max_attempts + spared : 1;
    const Outcome outcome = mark.outcome;
    const bool by_who_answered = outcome != Outcome::answered || mark.executor == mark.blamed;
    const bool by_who_crashed =
        outcome != Outcome::crashed || executions == 0 || mark.executor == mark.blamed ||
        mark.idempotent;  // whose last attempt may have ended before it was executed
    const unsigned least = outcome == Outcome::answered || outcome == Outcome::threw;
    if (outcome != Outcome::none && executions >= least && executions <= most && by_who_answered &&
        by_who_crashed)
      continue;
    findings.violation(round, "call " + std::to_string(number) +
                                  " (idempotent: " + std::to_string(mark.idempotent) +
                                  ") was executed " + std::to_string(executions) +
                                  " times, the last time by " + std::to_string(mark.executor) +
                                  "; outcome " + std::to_string(static_cast<int>(outcome)) +
                                  " by " + std::to_string(mark.blamed));
  }
}

}  // namespace bulkhead::torture
