// What a worker is given, and how a process becomes one: as a fork of its fork server, or by an
// exec of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ipc/doorbell.hpp"
#include "platform/fd.hpp"
#include "worker/control.hpp"
#include "worker/handshake.hpp"

namespace bulkhead::worker {

struct Assignment {
  std::string segment;
  std::uint64_t max_message = 0;
  ipc::Doorbell doorbell;
  platform::Fd bytes;  // the socket for buffers
  BytesLimits bytes_limits;
  bool prepared = true;        // preload has run in what it was forked from
  std::string objection = {};  // why it cannot serve what it was executed for; empty if it can
};

// In a child that `fork_server` has just forked, and that has closed what is not its own.
Assignment become_forked_worker(const StartWorker& order, std::vector<platform::Fd> fds,
                                pid_t fork_server);

// In a program that was launched to be a worker by itself: its fork server greets it by what it
// serves, which a file that was replaced meanwhile may not, and sends it its order.
Assignment become_launched_worker(const Launched& launch, const detail::Contract& contract);

// The control socket of a launched program. Forgets how it was launched; exits with 64 where there
// is no such socket.
platform::Fd take_control(const Launched& launch);

}  // namespace bulkhead::worker
