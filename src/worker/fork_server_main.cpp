#include "worker/fork_server_main.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "ipc/segment.hpp"
#include "platform/fault.hpp"
#include "platform/poll.hpp"
#include "platform/proc.hpp"
#include "platform/signals.hpp"
#include "platform/socket.hpp"
#include "process/tree.hpp"
#include "worker/control.hpp"
#include "worker/exception_text.hpp"
#include "worker/log_to_app.hpp"
#include "worker/plan.hpp"
#include "worker/probe.hpp"

namespace bulkhead::worker {

namespace {

using namespace std::chrono_literals;

// How it gets workers.
enum class Start { fork, exec };

class Server {
 public:
  Server(platform::Fd control, const detail::Contract& contract, Start way)
      : control_(std::move(control)),
        contract_(contract),
        way_(way),
        app_(platform::Pidfd::open(platform::parent_pid())),
        children_(platform::child_events()) {}

  Assignment run() {
    // From here on the app's end is seen here, and answered in good order: trees first. One that
    // somebody has stopped is woken for it.
    platform::set_parent_death_signal(SIGCONT);
    for (;;) {
      const auto ready =
          platform::poll_readable({control_.get(), app_.fd().get(), children_.get()}, patience_);
      if (ready[1]) leave();
      if (ready == std::array{false, false, false}) tidy_up();
      if (ready[2]) reap();
      if (!ready[0]) continue;
      if (auto assignment = take_order()) return std::move(*assignment);
    }
  }

 private:
  [[noreturn]] void leave() {
    platform::fault_point("fork_server.leave");
    trees_.kill_everything(5s);
    platform::fault_point("fork_server.mid_leaving");
    for (const auto& [number, segment] : workers_) ipc::Segment::remove(segment);
    platform::exit_now(0);
  }

  // The socket outlives an app that has forks, and then nobody makes room in it.
  void tell(const Notice& notice, std::span<const int> fds = {}) {
    const auto packet = pack(notice);
    for (;;) {
      const auto sent = platform::send_packet(control_, packet, fds);
      if (sent == platform::Sent::sent) return;
      if (sent == platform::Sent::gone || app_.ended()) leave();
      platform::wait_ready(control_, platform::Readiness::writable, 1s);
    }
  }

  std::optional<Assignment> take_order() {
    auto packet = platform::receive_packet(control_, max_control_packet, max_control_fds);
    if (packet.io == platform::Io::end) leave();
    if (packet.io == platform::Io::would_block) return std::nullopt;
    const Order order = unpack_order(packet.bytes);
    if (const auto* start = std::get_if<StartWorker>(&order))
      return this->start(*start, std::move(packet.fds));
    if (const auto* confine = std::get_if<Confine>(&order)) {
      begin_to_serve(*confine);
      return std::nullopt;
    }
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

  void begin_to_serve(const Confine& order) {
    platform::fault_point("fork_server.before_confining");
    Judgement judgement = judge(order.confinement, probe(order.confinement, trees_));
    if (!judgement.missing.empty() && !order.best_effort)
      return tell(Refused{"this system cannot enforce " + judgement.missing, true});
    confinement_ = judgement.own;
    tell(Serving{trees_.roof_path(), std::move(judgement.containment)});
  }

  std::optional<Assignment> start(StartWorker order, std::vector<platform::Fd> fds) {
    platform::fault_point("fork_server.before_fork");
    order.confinement = confinement_;
    if (fds.size() != max_control_fds) {  // they came, and found no room
      tell(NotStarted{order.number, EMFILE, "its fork server has too many open files"});
      return std::nullopt;
    }
    const pid_t self = platform::own_pid();
    try {
      if (way_ == Start::exec ? execute(order, fds) : fork(order)) return std::nullopt;
    } catch (const std::system_error& error) {
      tell(NotStarted{order.number, error.code().value(), error.what()});
      return std::nullopt;
    }
    // What is the fork server's own is closed first, before anything of the user's runs.
    control_.reset();
    children_.reset();
    app_ = {};
    return become_forked_worker(order, std::move(fds), self);
  }

  // False in the child.
  bool fork(const StartWorker& order) {
    const platform::Forked forked = trees_.fork(order.number);
    if (!forked.in_child()) started(order, forked.pid, forked.pidfd);
    return !forked.in_child();
  }

  // What it is to serve and its order wait in its control socket before it runs.
  bool execute(const StartWorker& order, const std::vector<platform::Fd>& fds) {
    const platform::SocketPair control = platform::packet_pair();
    const std::array own{fds.at(0).get(), fds.at(1).get(), fds.at(4).get()};
    platform::send_packet(control.ours, pack(Greeting{.contract = contract_}));
    platform::send_packet(control.ours, pack(Order(order)), own);
    process::Program program = worker_program(contract_.service);
    program.descriptors = {
        {fds.at(2).get(), 1}, {fds.at(3).get(), 2}, {control.theirs.get(), control_number}};
    const process::Child child = trees_.spawn(order.number, std::move(program));
    started(order, child.pid, child.pidfd);
    return true;
  }

  void started(const StartWorker& order, pid_t pid, const platform::Pidfd& process) {
    patience_ = quiet;
    workers_.emplace(order.number, order.segment);
    platform::fault_point("fork_server.before_started");
    const int pidfd = process.fd().get();
    tell(Started{order.number, pid}, {&pidfd, 1});
    tidy_up(most_untidy);
  }

  void reap() {
    platform::drain(children_);
    while (const auto ended = trees_.reap()) {
      if (!ended->worker) continue;
      const auto number = static_cast<WorkerNumber>(*ended->worker);
      platform::fault_point("fork_server.before_report");
      tell(Ended{number, ended->ending});
      platform::fault_point("fork_server.after_report");
      going_.insert(number);
    }
    clear_away();
  }

  // What workers that ended, or are to end, have started.
  void clear_away() {
    std::erase_if(going_, [&](WorkerNumber number) {
      if (!trees_.kill_tree(number)) return false;
      workers_.erase(number);
      gone_.push_back(number);
      return true;
    });
    patience_ = quiet;
  }

  // What can wait until no worker is to be started; some of it, where that goes on and on.
  void tidy_up(std::size_t keep = 0) {
    for (; gone_.size() > keep; gone_.pop_front()) trees_.forget(gone_.front(), 20ms);
    if (keep > 0) return;
    trees_.prepare();
    patience_.reset();
  }

  static constexpr std::chrono::milliseconds quiet{2};
  static constexpr std::size_t most_untidy = 8;

  platform::Fd control_;
  const detail::Contract& contract_;
  const Start way_;
  platform::Pidfd app_;
  platform::Fd children_;  // readable when one has ended
  process::Trees trees_;
  Confinement confinement_;
  std::map<WorkerNumber, std::string> workers_;  // whose trees are not gone, with their segments
  std::set<WorkerNumber> going_;                 // those among them that ended or are to end
  std::deque<WorkerNumber> gone_;                // those that are gone, but for their empty cgroups
  std::optional<std::chrono::milliseconds> patience_ = quiet;  // before it tidies up; empty: it has
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

// A fork has only one of a program's threads, so that a program with more does not fork: each
// worker then prepares itself. Does not return when preload throws.
Start prepare(const platform::Fd& control, Role role, const ServeOptions& options) {
  if (role == Role::fresh_fork_server || platform::thread_count() > 1) return Start::exec;
  try {
    if (options.preload) options.preload();
    return platform::thread_count() > 1 ? Start::exec : Start::fork;
  } catch (...) {
    const Notice refused = Refused{"its preload threw " + current_exception_text().sentence()};
    platform::send_packet(control, pack(refused), {}, true);
  }
  wait_for_the_end(control);
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
  open_log();
  const Start way = prepare(control, launch.role, options);
  platform::fault_point("fork_server.before_serving");
  return Server(std::move(control), contract, way).run();
}

void greet_and_wait(const Launched& launch, const detail::Contract& contract) {
  const platform::Fd control = take_control(launch);
  greet(control, contract);
  wait_for_the_end(control);
}

}  // namespace bulkhead::worker
