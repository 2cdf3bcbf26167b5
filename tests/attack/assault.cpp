#include "attack/assault.hpp"

#include <vector>

#include "attack/tally.hpp"
#include "support/conversation.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::attack {

namespace {

using namespace std::chrono_literals;

// One that attacks is ended after about ten as a rule, one that is harmless ends itself as soon.
constexpr std::uint32_t mutations_of_hostile = 500, mutations_of_harmless = 10;
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

Assault::Assault(const Place& place, std::uint64_t seed)
    : place_(place),
      seed_(seed),
      pool_({.workers = 1,
             .launch = hostile_program(place.tally),
             .kill_grace = 100ms,
             .restart = {.count = 0},
             .max_message = max_message}) {}

Assault::~Assault() {
  for (const auto& [cause, times] : pool_.stats().ends)
    count("workers ended: " + name_of(cause), times);
}

void Assault::count(const std::string& what, std::uint64_t times) {
  place_.ledger.count(place_.harmless ? "harmless workers: " + what : what, times);
}

template <class Response>
void Assault::settle(Future<Response> call) {
  if (!call.wait_for(test::default_watchdog))
    return place_.ledger.violation("a call is not settled after 20 s");
  try {
    if constexpr (std::is_same_v<Response, Load>) {
      const Load answer = call.get();
      count(is_load_of(answer.number, answer) ? "answers" : "answers, of nonsense");
    } else {
      call.get();
      count("answers");
    }
  } catch (const Error& error) {
    count("calls failed: " + error.code().message());
  } catch (const std::exception& error) {
    place_.ledger.violation(std::string("a call failed with no Error: ") + error.what());
  }
  place_.bystander.call(place_.beside);
}

Future<Load> Assault::carry(std::uint64_t number) {
  constexpr std::size_t small = 100, parts = 100'000;
  const bool large = number % 4 == 0;
  MutableBytes blob = large ? pool_.make_bytes(parts) : MutableBytes();
  return pool_.run(Carry{load_of(number, large ? parts : small, std::move(blob))}, patience);
}

void Assault::converse() {
  using test::Conversation;
  auto [to_worker, in] = channel<std::string>(Conversation::capacity);
  auto [out, from_worker] = channel<std::string>(Conversation::capacity);
  auto call = pool_.run(Stream{std::move(in), std::move(out)}, patience);
  Conversation conversation(seed_, std::move(to_worker), std::move(from_worker));
  switch (conversation.hold(2)) {
    case Conversation::End::complete:
      count("streams that ended");
      break;
    case Conversation::End::cut:
      count("streams that were cut");
      break;
    case Conversation::End::wrong:
      count("streams of nonsense");
      break;
    case Conversation::End::overdue:
      place_.ledger.violation(conversation.what());
  }
  settle(std::move(call));
}

void Assault::round() {
  auto attack =
      pool_.run(Attack{.seed = ++seed_,
                       .mutations = place_.harmless ? mutations_of_harmless : mutations_of_hostile,
                       .harmless = place_.harmless},
                patience);
  std::vector<Future<Load>> calls;
  for (unsigned i = 0; i < calls_beside; ++i) calls.push_back(carry(seed_ * calls_beside + i));
  converse();
  for (auto& call : calls) settle(std::move(call));
  settle(std::move(attack));
}

}  // namespace bulkhead::attack
