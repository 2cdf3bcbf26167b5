#include "torture/board.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "platform/fault.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"

namespace bulkhead::torture {

namespace {

static_assert(std::atomic<Kind>::is_always_lock_free && std::atomic<Outcome>::is_always_lock_free);

Shared* ours = nullptr;  // of a process that a pool launched

Shared* map(const std::string& path, int flags) {
  const platform::Fd file = platform::open_file(path, O_RDWR | flags, 0600);
  if (::ftruncate(file.get(), sizeof(Shared)) != 0) platform::throw_errno("cannot size " + path);
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) platform::throw_errno("cannot map " + path);
  return static_cast<Shared*>(memory);  // all zero at first, which is a board with nothing on it
}

void note_birth(Shared& shared, Victim what) {
  const std::size_t at = shared.born_count++;
  if (at >= Shared::births) std::abort();
  Born& born = shared.born[at];
  born.parent = ::getppid();
  born.start_time = platform::start_time(::getpid()).value_or(0);
  born.what = what;
  born.pid = ::getpid();
}

void note(Shared& shared, pid_t pid, PointIndex point, Kind kind) {
  const std::size_t at = shared.death_count++;
  if (at >= Shared::ends) std::abort();
  Death& death = shared.deaths[at];
  death.when = Clock::now().time_since_epoch().count();
  death.point = static_cast<std::uint8_t>(point);
  death.kind = kind;
  death.pid = pid;
}

void end_by(Kind kind) {
  if (kind == Kind::exit) ::_exit(exit_code);
  if (kind == Kind::abort) std::abort();
  ::raise(signal_of(kind));
}

void at_point(std::string_view name) {
  if (name == "fork_server.before_greeting") note_birth(*ours, Victim::fork_server);
  if (name == "worker.after_fork" || name == "worker.after_exec") note_birth(*ours, Victim::worker);
  const PointIndex point = find_point(name);
  if (point == points.size()) {
    const bool known =
        std::find(system_calls.begin(), system_calls.end(), name) != system_calls.end();
    if (!known && !ours->met_unknown_point.exchange(true))
      std::memcpy(ours->unknown_point.data(), name.data(), std::min<std::size_t>(name.size(), 63));
    return;
  }
  if (ours->orders[point].load(std::memory_order_relaxed) == Kind::none) return;
  const Kind kind = ours->orders[point].exchange(Kind::none);
  if (kind == Kind::none) return;  // somebody else's
  note(*ours, ::getpid(), point, kind);
  end_by(kind);
}

}  // namespace

int signal_of(Kind kind) {
  switch (kind) {
    case Kind::kill:
      return SIGKILL;
    case Kind::segv:
      return SIGSEGV;
    case Kind::abort:
      return SIGABRT;
    case Kind::none:
    case Kind::exit:
      break;
  }
  return 0;
}

Board::Board(const std::filesystem::path& file)
    : path_(file), shared_(map(path_, O_CREAT | O_EXCL)) {}

Board::~Board() { ::munmap(shared_, sizeof(Shared)); }

void Board::order(PointIndex point, Kind kind) const { shared_->orders[point] = kind; }
bool Board::taken(PointIndex point) const { return shared_->orders[point] == Kind::none; }
bool Board::withdraw(PointIndex point) const {
  return shared_->orders[point].exchange(Kind::none) != Kind::none;
}

void Board::note_death(pid_t pid, PointIndex point, Kind kind) const {
  note(*shared_, pid, point, kind);
}

const Death* Board::death_of(pid_t pid) const {
  for (std::size_t at = shared_->death_count; at > 0; --at)
    if (shared_->deaths[at - 1].pid == pid) return &shared_->deaths[at - 1];
  return nullptr;
}

bool Board::was_killed(pid_t pid, Kind kind) const {
  return std::any_of(shared_->deaths.begin(), shared_->deaths.begin() + shared_->death_count,
                     [&](const Death& death) { return death.pid == pid && death.kind == kind; });
}

const Born* Board::birth_of(pid_t pid) const {
  for (std::size_t at = shared_->born_count; at > 0; --at)
    if (shared_->born[at - 1].pid == pid) return &shared_->born[at - 1];
  return nullptr;
}

const Death* Board::reason_of(pid_t pid) const {
  if (const Death* death = death_of(pid)) return death;
  const Born* born = birth_of(pid);
  return born && born->what == Victim::worker ? death_of(born->parent) : nullptr;
}

void Board::join_if_told() {
  const char* const path = std::getenv(variable);
  if (!path) return;
  ours = map(path, 0);
  platform::set_fault_hook(at_point);
}

Shared* Board::joined() { return ours; }

}  // namespace bulkhead::torture
