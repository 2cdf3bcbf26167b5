#include "worker/assignment.hpp"

#include <csignal>
#include <cstdio>
#include <utility>

#include "platform/fault.hpp"
#include "platform/poll.hpp"
#include "platform/proc.hpp"
#include "platform/signals.hpp"
#include "platform/socket.hpp"
#include "worker/confinement.hpp"

namespace bulkhead::worker {

Assignment become_forked_worker(const StartWorker& order, std::vector<platform::Fd> fds,
                                pid_t fork_server) {
  platform::reset_signals();
  platform::set_parent_death_signal(SIGKILL);
  if (platform::parent_pid() != fork_server) platform::exit_now(0);  // it died before it could fire
  platform::new_session();
  platform::set_subreaper();
  platform::replace_stdio(fds.at(2), fds.at(3));
  confine(order.confinement);
  platform::fault_point("worker.after_fork");
  return {order.segment, order.max_message,
          ipc::Doorbell(std::move(fds.at(0)), std::move(fds.at(1))), std::move(fds.at(4)),
          order.bytes};
}

Assignment become_launched_worker(const Launched& launch, const detail::Contract& contract) {
  const platform::Fd control = take_control(launch);
  platform::set_process_name("bulkhead:" + launch.service);
  platform::set_subreaper();
  platform::fault_point("worker.after_exec");
  const auto receive = [&] {
    auto packet = platform::receive_packet(control, max_control_packet, max_control_fds, true);
    if (packet.io == platform::Io::end) platform::exit_now(0);
    return packet;
  };
  const auto served = unpack_greeting(receive().bytes);
  // Another protocol's orders cannot be read, so that nobody can be told but by the last words.
  if (!served || served->protocol != protocol_version) {
    std::fputs("the program was replaced by one of another version of Bulkhead\n", stderr);
    platform::exit_now(64);
  }
  auto packet = receive();
  const auto order = std::get<StartWorker>(unpack_order(packet.bytes));
  confine(order.confinement);
  const auto objects = objection(served->contract, {.contract = contract});
  return {order.segment,
          order.max_message,
          ipc::Doorbell(std::move(packet.fds.at(0)), std::move(packet.fds.at(1))),
          std::move(packet.fds.at(2)),
          order.bytes,
          false,
          objects ? objects->what() : ""};
}

platform::Fd take_control(const Launched& launch) {
  forget_launch();
  platform::reset_signals();
  if (launch.control < 0) platform::exit_now(64);
  platform::Fd control = platform::above_stdio(launch.control);
  platform::set_close_on_exec(control, true);
  return control;
}

}  // namespace bulkhead::worker
