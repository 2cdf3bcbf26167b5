#include "faults/loads.hpp"

#include <algorithm>
#include <csignal>

#include "platform/fd.hpp"
#include "platform/proc.hpp"

namespace bulkhead::test {

namespace {

std::string words(const Error& error) { return std::string("failed: ") + error.what(); }

std::string unlike(const Error& error, errc expected) {
  return error.code() == expected ? "" : words(error);
}

// Of a call whose worker died: that one is reported, as it ended, running nothing else.
std::string complaint_about(const Error& error, pid_t worker, const Fate& fate) {
  if (error.code() != errc::worker_crashed || error.crash() == nullptr) return words(error);
  const CrashReport& report = *error.crash();
  const bool right = report.pid == worker && report.running.size() == 1 &&
                     report.cause == fate.cause.value_or(report.cause) &&
                     (!fate.signal || report.status.signal == fate.signal);
  return right ? "" : words(error);
}

std::optional<platform::ProcessStat> stat_of(pid_t pid) {
  const std::string line = platform::read_file("/proc/" + std::to_string(pid) + "/stat");
  return platform::parse_process_stat(line);
}

std::string large_text(std::size_t size) { return std::string(size, 'x'); }

}  // namespace

const char* name(Load load) {
  switch (load) {
    case Load::idle:
      return "idle";
    case Load::one_call:
      return "one call";
    case Load::many_calls:
      return "many calls";
  }
  return "";
}

std::vector<Way> all_ways() {
  return {{"forked", Launch::self()},
          {"without cgroups", Launch::self().env("BULKHEAD_CGROUP", "off")},
          {"executed", Launch::self().fresh()}};
}

Traffic::Traffic(TestPool& pool, Load load) : pool_(pool) {
  if (load != Load::idle) run_one(false);
  if (load == Load::many_calls) {
    run_one(true);
    run_one(false);
    mix(10);
  }
  meet_workers();
  fork_server_ = stat_of(victim()).value().parent;
}

Traffic::~Traffic() { gate_.open(); }

void Traffic::run_one(bool idempotent) {
  const std::string name = "running " + std::to_string(running_.size());
  const Block block = gate_.call(name);
  auto call = idempotent ? pool_.run(BlockAgain{block}) : pool_.run(block);
  pids_.push_back(gate_.runner(name));
  running_.push_back({name, pids_.back(), idempotent, std::move(call)});
}

// Each of those that run none runs one for a moment.
void Traffic::meet_workers() {
  const Gate gate;
  std::vector<Future<pid_t>> calls;
  while (pids_.size() < workers) {
    const std::string name = std::to_string(pids_.size());
    calls.push_back(pool_.run(gate.call(name)));
    pids_.push_back(gate.runner(name));
  }
  gate.open();
  for (auto& call : calls) value_of(std::move(call));
}

template <class R, class Right>
void Traffic::ask(const std::string& name, R request, Right right) {
  auto call = share(pool_.run(std::move(request)));
  waiting_.push_back({name, [call, right](std::optional<errc> unanswered) -> std::string {
                        try {
                          const auto value = value_of(std::move(*call));
                          if (unanswered) return "answered";
                          return right(value) ? "" : "answered wrongly";
                        } catch (const Error& error) {
                          return unanswered ? unlike(error, *unanswered) : words(error);
                        }
                      }});
}

template <class R>
void Traffic::ask_for(const std::string& name, R request, errc failure) {
  auto call = share(pool_.run(std::move(request)));
  waiting_.push_back({name, [call, failure](std::optional<errc> unanswered) -> std::string {
                        const End end = end_of(*call);
                        return end ? unlike(*end, unanswered.value_or(failure)) : "answered";
                      }});
}

void Traffic::mix(int rounds) {
  constexpr std::size_t large = 300'000;  // more than a ring holds, and beside a message
  for (int i = 0; i < rounds; ++i) {
    const std::string number = " " + std::to_string(++asked_);
    ask("Add" + number, Add{i, 1}, [i](int sum) { return sum == i + 1; });
    ask("Echo" + number, Echo{number}, [number](const auto& text) { return text == number; });
    ask_for("Throw" + number, Throw{Thrown::other}, errc::handler_failed);
    ask_for("Trouble" + number, Trouble{Where::loading_request}, errc::handler_failed);
    if (i % 5 != 0) continue;
    ask("large Echo" + number, Echo{large_text(large)},
        [](const auto& text) { return text == large_text(large); });
    ask("large Answer" + number, Answer{large}, [](const auto& text) {
      return text.size() == large && text[large - 1] == 'a' + (large - 1) % 23;
    });
  }
}

void Traffic::kill_fork_server() {
  ::kill(fork_server_, SIGKILL);
  const auto ended = [](pid_t pid) {
    const auto stat = stat_of(pid);
    return !stat || stat->state == 'Z';
  };
  if (!wait_until([&] { return std::all_of(pids_.begin(), pids_.end(), ended); }))
    throw std::runtime_error("the workers of a dead fork server live on");
}

bool Traffic::answers() {
  auto call = pool_.run(Add{1, 2});
  return call.wait_for(default_watchdog) && value_of(std::move(call)) == 3;
}

std::string Traffic::look_at(Running& running, const Fate& fate) {
  const bool lost = std::count(fate.died.begin(), fate.died.end(), running.worker) > 0;
  try {
    const pid_t answered_by = value_of(std::move(running.call));
    const bool may_answer = lost ? running.idempotent && !fate.unanswered : !fate.cut_off;
    if (!may_answer) return "answered";
    return lost == (answered_by != running.worker) ? "" : "answered by another process";
  } catch (const Error& error) {
    if (!lost) return fate.cut_off ? unlike(error, *fate.cut_off) : words(error);
    if (running.idempotent) return fate.unanswered ? unlike(error, *fate.unanswered) : words(error);
    return complaint_about(error, running.worker, fate);
  }
}

Complaints Traffic::look_at_calls(const Fate& fate) {
  gate_.open();
  Complaints found;
  const auto note = [&](const std::string& name, const std::string& what) {
    if (!what.empty()) found.push_back(name + " " + what);
  };
  for (auto& running : running_) note(running.name, look_at(running, fate));
  for (auto& waiting : waiting_) note(waiting.name, waiting.complaint(fate.unanswered));
  for (auto& other : others_) {
    const End end = other.end();
    note(other.name, other.expected(end ? &*end : nullptr));
  }
  running_.clear();
  waiting_.clear();
  others_.clear();
  return found;
}

Complaints Traffic::settle(const Fate& fate) {
  Complaints found = look_at_calls(fate);
  const auto whole = [&] {
    const PoolStats stats = pool_.stats();
    return stats.workers == workers && stats.queued == 0 && stats.in_flight == 0;
  };
  if (!wait_until(whole)) found.push_back("the pool is not whole again");
  mix(5);
  for (auto& complaint : look_at_calls({})) found.push_back("afterwards, " + complaint);
  return found;
}

Complaints Traffic::settle_over(const Fate& fate) { return look_at_calls(fate); }

}  // namespace bulkhead::test
