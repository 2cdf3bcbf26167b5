// The app's side of a fork server: launches it, judges its greeting, passes orders on, watches it.
//
// Stages: launching (until the greeting) ─▶ preparing (preload) ─▶ serving ─▶ dead (what it left
// is cleared away) ─▶ ended.
// The first reason to fail is the one that is told, when the process is gone.
#pragma once

#include <chrono>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bulkhead/detail/contract.hpp"
#include "bulkhead/error.hpp"
#include "process/output.hpp"
#include "process/spawn.hpp"
#include "reactor/reactor.hpp"
#include "reactor/timer.hpp"
#include "reactor/watch.hpp"
#include "worker/forwarded_output.hpp"
#include "worker/handshake.hpp"
#include "worker/source.hpp"

namespace bulkhead::worker {

class ForkServer final : public Source {
 public:
  // Throws Error(start_failed) if the program cannot be started at all. `listener` is not told of
  // anything once it is gone.
  static std::shared_ptr<ForkServer> launch(std::shared_ptr<reactor::Reactor> reactor,
                                            const process::Program& program,
                                            const detail::Contract& contract,
                                            const Confine& confine,
                                            std::chrono::milliseconds connect_timeout,
                                            std::weak_ptr<Listener> listener);
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  bool serving() const override { return stage_ == Stage::serving; }
  bool dead() const override { return stage_ == Stage::dead || ended(); }
  bool ended() const override { return stage_ == Stage::ended; }
  std::shared_ptr<const platform::Modules> modules() override;
  const Containment& containment() const override { return containment_; }
  void start_worker(const StartWorker& order, const ipc::Doorbell& doorbell,
                    const platform::Fd& output, const platform::Fd& errors,
                    const platform::Fd& bytes) override;
  void signal_worker(WorkerNumber number, int signal) override;
  void close() override;
  // Should it never come to reaping it, an app that inherits orphans has to (PID 1, a subreaper).
  void leave_unreaped(WorkerNumber number, platform::Pidfd worker) override;
  void kill() override;
  pid_t pid() const { return child_.pid; }

 private:
  enum class Stage { launching, preparing, serving, dead, ended };

  ForkServer(std::shared_ptr<reactor::Reactor> reactor, const detail::Contract& contract,
             const Confine& confine, std::weak_ptr<Listener> listener);
  void spawn(process::Program program);
  void watch(std::chrono::milliseconds connect_timeout);
  void abandon();
  bool read_control();
  void take_greeting(std::span<const std::byte> packet);
  void take_notice(const Notice& notice, std::vector<platform::Fd> fds);
  void take(const Serving& notice);
  void give_up_worker(WorkerNumber number);
  void fail(const Error& why);
  void timed_out(std::chrono::milliseconds connect_timeout);
  void process_ended();
  bool look_for_end_again();
  void clear_roof(std::chrono::steady_clock::time_point end);
  bool roof_cleared() const;
  Error ended_unasked(const platform::Ending& ending);
  void send(const Order& order, std::initializer_list<const platform::Fd*> fds = {});
  bool send_now(std::span<const std::byte> packet, std::span<const int> fds);
  void send_waiting();

  template <class Tell>
  void tell(Tell&& tell_listener) {
    if (const auto listener = listener_.lock()) tell_listener(*listener);
  }

  const std::shared_ptr<reactor::Reactor> reactor_;
  const detail::Contract contract_;
  const Confine confine_;
  const std::weak_ptr<Listener> listener_;
  const std::chrono::steady_clock::time_point launched_at_;

  Stage stage_ = Stage::launching;
  bool asked_to_end_ = false;
  std::optional<Error> failure_;  // the first
  std::optional<Error> why_it_ended_;
  std::string roof_;
  Containment containment_;
  process::Child child_;
  std::uint64_t start_time_ = 0;
  std::optional<std::chrono::steady_clock::time_point> seen_dead_at_;
  platform::Fd control_socket_;
  reactor::Watch control_;
  reactor::Watch process_;
  struct Waiting {
    std::vector<std::byte> packet;
    std::vector<platform::Fd> fds;
  };
  std::deque<Waiting> outbox_;  // orders that it has no room for yet
  // Of its start; of the outbox while it serves; of its end once it was asked to end; once it is
  // dead, of what it left.
  reactor::Timer timer_;
  std::optional<ForwardedOutput> output_, errors_;
  std::map<WorkerNumber, platform::Pidfd> unreaped_;
  std::shared_ptr<const platform::Modules> modules_;
};

}  // namespace bulkhead::worker
