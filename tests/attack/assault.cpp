#include "attack/assault.hpp"

#include <vector>

#include "attack/tally.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::attack {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t mutations_of_one = 500;
constexpr unsigned calls_beside = 12;
const RunOptions patience{.timeout = 500ms};  // a worker that has harmed itself may never answer

// What its sanitizer says of what it does to itself goes with the folder.
Launch hostile_program(const std::string& tally) {
  return Launch::self()
      .env(Tally::variable, tally)
      .env("ASAN_OPTIONS", "log_path=" + tally + ".asan:handle_segv=0")
      .env("UBSAN_OPTIONS", "log_path=" + tally + ".ubsan");
}

std::string name_of(Cause cause) {
  switch (cause) {
    case Cause::exited:
      return "it exited";
    case Cause::signaled:
      return "a signal";
    case Cause::deadline:
      return "deadline";
    case Cause::protocol_violation:
      return "protocol violation";
    default:
      return "another (" + std::to_string(static_cast<int>(cause)) + ")";
  }
}

}  // namespace

Assault::Assault(Ledger& ledger, std::uint64_t seed, bool harmless, const std::string& tally)
    : ledger_(ledger),
      seed_(seed),
      harmless_(harmless),
      pool_({.workers = 1,
             .launch = hostile_program(tally),
             .kill_grace = 100ms,
             .restart = {.count = 0},
             .max_message = max_message}) {}

Assault::~Assault() {
  if (harmless_) return;
  for (const auto& [cause, count] : pool_.stats().ends)
    ledger_.count("workers ended: " + name_of(cause), count);
}

template <class Response>
void Assault::settle(Future<Response> call) {
  if (!call.wait_for(test::default_watchdog))
    return ledger_.violation("a call is not settled after 20 s");
  try {
    if constexpr (std::is_same_v<Response, Load>) {
      const Load answer = call.get();
      ledger_.count(is_load_of(answer.number, answer) ? "answers" : "answers, of nonsense");
    } else {
      call.get();
      ledger_.count("answers");
    }
  } catch (const Error& error) {
    ledger_.count("calls failed: " + error.code().message());
  } catch (const std::exception& error) {
    ledger_.violation(std::string("a call failed with no Error: ") + error.what());
  }
}

Future<Load> Assault::carry(std::uint64_t number) {
  constexpr std::size_t small = 100, parts = 100'000;
  const bool large = number % 4 == 0;
  MutableBytes blob = large ? pool_.make_bytes(parts) : MutableBytes();
  return pool_.run(Carry{load_of(number, large ? parts : small, std::move(blob))}, patience);
}

void Assault::converse() {
  auto [to_worker, in] = channel<std::string>(8);
  auto [out, from_worker] = channel<std::string>(8);
  auto call = pool_.run(Stream{std::move(in), std::move(out)}, patience);
  try {
    for (int i = 0; i < 8; ++i) {
      to_worker.send(std::string(64, 'x'));
      if (!from_worker.receive()) break;
    }
    to_worker.close();
    ledger_.count("streams that ended");
  } catch (const Error& error) {
    ledger_.count("streams failed: " + error.code().message());
  } catch (const std::exception& error) {
    ledger_.violation(std::string("a stream failed with no Error: ") + error.what());
  }
  settle(std::move(call));
}

void Assault::round() {
  auto attack = pool_.run(
      Attack{.seed = ++seed_, .mutations = mutations_of_one, .harmless = harmless_}, patience);
  std::vector<Future<Load>> calls;
  for (unsigned i = 0; i < calls_beside; ++i) calls.push_back(carry(seed_ * calls_beside + i));
  converse();
  for (auto& call : calls) settle(std::move(call));
  settle(std::move(attack));
}

}  // namespace bulkhead::attack
