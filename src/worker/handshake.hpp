// How a launched program learns that it is to serve, and the first words between the two sides.
//
//   app                                          launched program
//   ───────────────────────────────────────────────────────────────────────────────────────────
//   exec with BULKHEAD_PROTOCOL, _SERVICE and
//   _CONTROL (the number of a packet socket) ──▶ serve_if_worker finds its service's name,
//                                                removes the three variables
//   judges it: same protocol, same contract? ◀── Greeting
//     no: ends the program, tells why            preload
//   starts workers                           ◀── Notice Serving: it is the fork server now
//
// The greeting keeps its form in every version of the protocol, so that two versions can tell each
// other what they are. All later packets are of one version: control.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bulkhead/detail/contract.hpp"
#include "bulkhead/error.hpp"
#include "platform/fd.hpp"

namespace bulkhead::worker {

constexpr std::uint32_t protocol_version = 1;

struct Greeting {
  enum class Says : std::uint8_t {
    serves = 1,   // it serves `contract`
    strayed = 2,  // it came to Pool or Worker without having served; `contract` holds nothing
  };
  std::uint32_t protocol = protocol_version;
  Says says = Says::serves;
  detail::Contract contract{};
  std::vector<std::string> offered{};  // the services that it asked serve_if_worker to serve
};
std::vector<std::byte> pack(const Greeting& greeting);
// Empty: no greeting, so the program is no worker.
std::optional<Greeting> unpack_greeting(std::span<const std::byte> packet);

// Why a program that greeted like this cannot serve `expected`: empty if it can.
std::optional<Error> objection(const detail::Contract& expected, const Greeting& greeting);

// What a launched program is to become, as BULKHEAD_CONTROL says it before the socket's number.
enum class Role : std::uint8_t {
  fork_server,        // "3": forks workers, or executes them if it has threads
  fresh_fork_server,  // "fresh:3": executes them
  worker,             // "worker:3": is one; its fork server knows its contract, and sends it orders
};

// The launched side's view of its environment.
struct Launched {
  Role role = Role::fork_server;
  std::uint32_t protocol = 0;
  std::string service;
  int control = -1;
};
// What the environment says; empty in a process that nobody launched as a worker.
std::optional<Launched> launched();
// Forgets it, so that programs which this one starts do not take it for theirs.
void forget_launch();
// The environment's entries for a program that is to serve `service`.
std::vector<std::string> launch_environment(const std::string& service, int control,
                                            Role role = Role::fork_server);

// Throws Error(not_served), and tells the launcher, in a process that was launched as a worker and
// has not served: it must not launch workers in turn, or it would launch itself for ever.
void require_served();
// Notes that this program would serve `service`, for the message of require_served.
void note_offered(std::string_view service);

}  // namespace bulkhead::worker
