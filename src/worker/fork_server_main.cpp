#include "worker/fork_server_main.hpp"

#include <csignal>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "ipc/segment.hpp"
#include "platform/fault.hpp"
#include "platform/poll.hpp"
#include "platform/proc.hpp"
#include "platform/signals.hpp"
#include "platform/socket.hpp"
#include "process/tree.hpp"
#include "worker/control.hpp"
#include "worker/exception_text.hpp"

namespace bulkhead::worker {

namespace {

using namespace std::chrono_literals;

class Server {
 public:
  Server(platform::Fd control, std::string service)
      : control_(std::move(control)),
        service_(std::move(service)),
        app_(platform::Pidfd::open(platform::parent_pid())),
        children_(platform::signal_fd(SIGCHLD)) {}

  Assignment run() {
    // From here on the app's end is seen here, and answered in good order: trees first.
    platform::set_parent_death_signal(0);
    tell(Serving{trees_.roof_path()});
    for (;;) {
      const auto ready =
          platform::poll_readable({control_.get(), app_.fd().get(), children_.get()});
      if (ready[1]) leave();
      if (ready[2]) reap();
      if (!ready[0]) continue;
      if (auto assignment = take_order()) return std::move(*assignment);
    }
  }

 private:
  [[noreturn]] void leave() {
    platform::fault_point("fork_server.leave");
    trees_.kill_everything(5s);
    for (const auto& [number, segment] : workers_) ipc::Segment::remove(segment);
    platform::exit_now(0);
  }

  void tell(const Notice& notice, std::span<const int> fds = {}) {
    if (platform::send_packet(control_, pack(notice), fds, true) == platform::Sent::gone) leave();
  }

  std::optional<Assignment> take_order() {
    auto packet = platform::receive_packet(control_, max_control_packet, max_control_fds);
    if (packet.io == platform::Io::end) leave();
    if (packet.io == platform::Io::would_block) return std::nullopt;
    const Order order = unpack_order(packet.bytes);
    if (const auto* start = std::get_if<StartWorker>(&order))
      return this->start(*start, std::move(packet.fds));
    const auto& [number, signal] = std::get<SignalWorker>(order);
    if (!workers_.contains(number)) return std::nullopt;  // it ended meanwhile
    if (signal == SIGKILL) {
      going_.insert(number);
      clear_away();
    } else {
      trees_.signal_tree(number, signal);
    }
    return std::nullopt;
  }

  std::optional<Assignment> start(const StartWorker& order, std::vector<platform::Fd> fds) {
    platform::fault_point("fork_server.before_fork");
    const pid_t self = platform::own_pid();
    platform::Forked forked;
    try {
      forked = trees_.fork(order.number);
    } catch (const std::system_error& error) {
      tell(NotStarted{order.number, error.code().value(), error.what()});
      return std::nullopt;
    }
    if (forked.in_child()) return become_worker(order, std::move(fds), self);
    workers_.emplace(order.number, order.segment);
    platform::fault_point("fork_server.before_started");
    const int pidfd = forked.pidfd.fd().get();
    tell(Started{order.number, forked.pid}, {&pidfd, 1});
    return std::nullopt;
  }

  // What is the fork server's own is closed first, before anything of the user's runs.
  Assignment become_worker(const StartWorker& order, std::vector<platform::Fd> fds, pid_t server) {
    control_.reset();
    children_.reset();
    app_ = {};
    platform::set_parent_death_signal(SIGKILL);
    if (platform::parent_pid() != server) platform::exit_now(0);  // it died before it could fire
    platform::new_session();
    platform::set_subreaper();
    platform::set_no_new_privs();
    platform::forbid_core_dumps();
    platform::reset_signals();
    platform::replace_stdio(fds.at(1), fds.at(2));
    platform::fault_point("worker.after_fork");
    return {order.segment, order.max_message, ipc::Doorbell(std::move(fds.at(0)))};
  }

  void reap() {
    platform::drain(children_);
    while (const auto ended = trees_.reap()) {
      if (!ended->worker) continue;
      const auto number = static_cast<WorkerNumber>(*ended->worker);
      platform::fault_point("fork_server.before_report");
      tell(Ended{number, ended->ending});
      going_.insert(number);
    }
    clear_away();
  }

  // What workers that ended, or are to end, have started.
  void clear_away() {
    std::erase_if(going_, [&](WorkerNumber number) {
      if (!trees_.kill_tree(number)) return false;
      trees_.forget(number, 20ms);
      workers_.erase(number);
      return true;
    });
  }

  platform::Fd control_;
  const std::string service_;
  platform::Pidfd app_;
  platform::Fd children_;  // readable when one has ended
  process::Trees trees_;
  std::map<WorkerNumber, std::string> workers_;  // whose trees are not gone, with their segments
  std::set<WorkerNumber> going_;                 // those among them that ended or are to end
};

void greet(const platform::Fd& control, const detail::Contract& contract) {
  platform::send_packet(control, pack(Greeting{.contract = contract}), {}, true);
}

// The app ends what it cannot use; a program whose app is gone ends by itself.
[[noreturn]] void wait_for_the_end(const platform::Fd& control) {
  while (platform::receive_packet(control, max_control_packet, max_control_fds, true).io !=
         platform::Io::end) {
  }
  platform::exit_now(64);
}

void prepare(const platform::Fd& control, const ServeOptions& options) {
  std::string trouble;
  try {
    if (options.preload) options.preload();
    if (const auto threads = platform::thread_count(); threads > 1)
      trouble = std::to_string(threads) +
                " threads run in the program when it begins to serve, and a forked worker would "
                "have only one of them: call serve_if_worker before starting threads, and leave "
                "none in preload";
  } catch (...) {
    trouble = "its preload threw " + current_exception_text().sentence();
  }
  if (trouble.empty()) return;
  platform::send_packet(control, pack(Notice(Refused{trouble})), {}, true);
  wait_for_the_end(control);
}

platform::Fd take_control(const Launched& launch) {
  forget_launch();
  platform::reset_signals();
  if (launch.control < 0) platform::exit_now(64);
  platform::Fd control = platform::above_stdio(launch.control);
  platform::set_close_on_exec(control, true);
  return control;
}

}  // namespace

Assignment run_fork_server(const Launched& launch, const detail::Contract& contract,
                           const ServeOptions& options) {
  platform::fault_point("fork_server.before_greeting");
  platform::Fd control = take_control(launch);
  platform::set_process_name("bulkhead:" + contract.service);
  greet(control, contract);
  if (launch.protocol != protocol_version) wait_for_the_end(control);
  platform::fault_point("fork_server.after_greeting");
  prepare(control, options);
  platform::fault_point("fork_server.before_serving");
  return Server(std::move(control), contract.service).run();
}

void greet_and_wait(const Launched& launch, const detail::Contract& contract) {
  const platform::Fd control = take_control(launch);
  greet(control, contract);
  wait_for_the_end(control);
}

}  // namespace bulkhead::worker
