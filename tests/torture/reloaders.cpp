#include "torture/reloaders.hpp"

#include <chrono>
#include <string>

#include "support/pause.hpp"
#include "support/wait_until.hpp"
#include "torture/chaos.hpp"

namespace bulkhead::torture {

Reloaders::Reloaders(Pool<Torture>& pool, const Round& round, const Board& board,
                     Findings& findings)
    : pool_(pool), round_(round), board_(board), findings_(findings), running_(round.reloaders) {
  for (unsigned i = 0; i < round.reloaders; ++i)
    threads_.emplace_back([this, i] { reload_until_finished(round_.seed + i); });
}

void Reloaders::finish() {
  begin_to_finish();
  if (!test::wait_until([&] { return running_ == 0; }))
    findings_.violation(round_.number, "a reload has not returned after 20 s");
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Reloaders::reload_until_finished(std::uint64_t seed) {
  std::mt19937_64 dice(seed);
  while (!finishing_.stop_requested() && !findings_.any_violation()) {
    reload();
    test::pause(finishing_.get_token(), std::chrono::microseconds(dice() % 20'000));
  }
  --running_;
}

// Nobody who was there before may be there after it.
void Reloaders::reload() {
  const std::size_t born_before = board_.shared().born_count;
  try {
    pool_.reload();
  } catch (const Error& error) {
    return failed(error);
  }
  findings_.count("reloads");
  for (std::size_t at = 0; at < born_before; ++at)
    if (const Born& born = board_.shared().born[at];
        born.pid != 0 && born.what == Victim::fork_server && lives(born))
      findings_.violation(round_.number, "a reload is over, and an old fork server lives: " +
                                             std::to_string(born.pid));
}

void Reloaders::failed(const Error& error) {
  findings_.count("reloads that failed");
  if (error.code() == errc::shut_down && finishing_.stop_requested()) return;
  if (!error.crash() || !board_.reason_of(error.crash()->pid))
    findings_.violation(round_.number, std::string("a reload failed: ") + error.what());
}

}  // namespace bulkhead::torture
