#include "torture/chaos.hpp"

#include <string>
#include <system_error>

#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::torture {

namespace {

template <class Visit>
void for_each_birth(const Board& board, Visit visit) {
  for (std::size_t at = 0; at < board.shared().born_count; ++at)
    if (const Born& born = board.shared().born[at]; born.pid != 0) visit(born);
}

}  // namespace

bool lives(const Born& born) {
  const std::string stat = platform::read_file("/proc/" + std::to_string(born.pid) + "/stat");
  const auto process = platform::parse_process_stat(stat);
  return process && process->start_time == born.start_time && process->state != 'Z';
}

bool Chaos::anything_lives() const {
  bool any = false;
  for_each_birth(board_, [&](const Born& born) { any = any || lives(born); });
  return any;
}

bool Chaos::looks_whole() const {
  std::size_t workers = 0;
  const auto is_well = [&](const Born& born) { return lives(born) && !board_.death_of(born.pid); };
  for_each_birth(board_, [&](const Born& born) {
    if (born.what != Victim::worker || !is_well(born)) return;
    const Born* const server = board_.birth_of(born.parent);
    workers += server && is_well(*server);
  });
  return round_.is_whole(workers);
}

// Gives up as soon as anything is wrong anywhere.
bool Chaos::await(const std::function<bool()>& condition, const std::string& what) {
  bool met = false;
  const auto over = [&] { return (met = condition()) || findings_.any_violation(); };
  if (!test::wait_until(over)) findings_.violation(round_.number, what + " within 20 s");
  return met;
}

// So many more are made.
bool Chaos::await_calls(std::uint32_t count) {
  const std::atomic<std::uint32_t>& made = board_.shared().mark_count;
  return await([&made, then = made + count] { return made >= then; }, "no call was made");
}

// False when there is none at this moment.
bool Chaos::kill_one(Victim victim, Kind kind) {
  std::vector<const Born*> living;
  for_each_birth(board_, [&](const Born& born) {
    if (born.what == victim && lives(born)) living.push_back(&born);
  });
  if (living.empty()) return false;
  const Born& chosen = *living[dice_() % living.size()];
  try {
    const auto pidfd = platform::Pidfd::open(chosen.pid);
    if (!lives(chosen)) return false;
    board_.note_death(chosen.pid, victim == Victim::worker ? random_worker : random_fork_server,
                      kind);
    pidfd.signal(signal_of(kind));
    return true;
  } catch (const std::system_error&) {
    return false;  // it has just gone
  }
}

void Chaos::trigger(Victim victim) { static_cast<void>(kill_one(victim, kinds[dice_() % 3])); }

void Chaos::carry_out(const Order& order, bool is_given, const std::function<bool()>& whole) {
  const Point& point = points[order.point];
  const std::string name(point.name);
  const bool wait = order.once_whole || point.trigger == Trigger::shutdown;
  if (!is_given && wait && !await(whole, "not all workers came back")) return;
  if (!await_calls(order.calls_before)) return;
  if (point.trigger == Trigger::none) {
    await([&] { return kill_one(point.victim, order.kind); }, "nobody came back to be killed");
    return;
  }
  if (!is_given) board_.order(order.point, order.kind);
  if (point.trigger == Trigger::shutdown) return;
  auto again = Clock::now();
  await(
      [&] {
        if (board_.taken(order.point)) return true;
        if (Clock::now() < again) return false;
        if (point.trigger == Trigger::start) trigger(Victim::worker);
        if (point.trigger == Trigger::server_start) trigger(Victim::fork_server);
        again = Clock::now() + std::chrono::seconds(3);
        return false;
      },
      "nobody came to " + name);
}

}  // namespace bulkhead::torture
