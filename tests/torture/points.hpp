// The moments at which the campaign ends processes of a pool: all fault points of the library that
// its workers and fork servers come to, four of the campaign's own, and any other moment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bulkhead::torture {

enum class Victim : std::uint8_t { worker, fork_server };

// What has to happen before somebody comes to the point.
enum class Trigger : std::uint8_t {
  load,          // calls
  start,         // a worker ends, and another is started
  server_start,  // the same of a fork server
  shutdown,
  none,  // it is no point in the code: the campaign sends a signal from outside
};

// How workers come about, where that matters.
enum class Way : std::uint8_t { any, fork, exec };

struct Point {
  std::string_view name;
  Victim victim;
  Trigger trigger;
  Way way = Way::any;
};

inline constexpr std::array points{
    Point{"a random moment of a worker", Victim::worker, Trigger::none},
    Point{"a random moment of a fork server", Victim::fork_server, Trigger::none},
    Point{"torture.unpacking", Victim::worker, Trigger::load},
    Point{"torture.handler", Victim::worker, Trigger::load},
    Point{"torture.packing", Victim::worker, Trigger::load},
    Point{"torture.streaming", Victim::worker, Trigger::load},
    Point{"worker.before_claim", Victim::worker, Trigger::load},
    Point{"worker.after_claim", Victim::worker, Trigger::load},
    Point{"worker.mid_request", Victim::worker, Trigger::load},
    Point{"worker.bytes_needed", Victim::worker, Trigger::load},
    Point{"worker.end_needed", Victim::worker, Trigger::load},
    Point{"worker.before_response", Victim::worker, Trigger::load},
    Point{"worker.mid_response", Victim::worker, Trigger::load},
    Point{"ring.before_publish", Victim::worker, Trigger::load},
    Point{"link.before_ring", Victim::worker, Trigger::load},
    Point{"worker.after_response", Victim::worker, Trigger::load},
    Point{"blob.before_seal", Victim::worker, Trigger::load},
    Point{"worker.bytes_passed", Victim::worker, Trigger::load},
    Point{"channel.mid_item", Victim::worker, Trigger::load},
    Point{"channel.part_taken", Victim::worker, Trigger::load},
    Point{"channel.left", Victim::worker, Trigger::load},
    Point{"worker.after_fork", Victim::worker, Trigger::start, Way::fork},
    Point{"worker.after_exec", Victim::worker, Trigger::start, Way::exec},
    Point{"worker.before_open", Victim::worker, Trigger::start},
    Point{"worker.after_open", Victim::worker, Trigger::start},
    Point{"worker.before_ready", Victim::worker, Trigger::start},
    Point{"worker.after_ready", Victim::worker, Trigger::start},
    Point{"worker.before_leaving", Victim::worker, Trigger::shutdown},
    Point{"fork_server.before_greeting", Victim::fork_server, Trigger::server_start},
    Point{"fork_server.after_greeting", Victim::fork_server, Trigger::server_start},
    Point{"fork_server.before_confining", Victim::fork_server, Trigger::server_start},
    Point{"fork_server.before_serving", Victim::fork_server, Trigger::server_start},
    Point{"fork_server.before_fork", Victim::fork_server, Trigger::start},
    Point{"fork_server.before_started", Victim::fork_server, Trigger::start},
    Point{"fork_server.before_report", Victim::fork_server, Trigger::start},
    Point{"fork_server.after_report", Victim::fork_server, Trigger::start},
    Point{"fork_server.leave", Victim::fork_server, Trigger::shutdown},
    Point{"fork_server.mid_leaving", Victim::fork_server, Trigger::shutdown},
};

// Where system calls may be made to fail, or short: nobody dies there.
inline constexpr std::array<std::string_view, 6> system_calls{
    "fork", "spawn", "worker.start_thread", "memory.make", "memory.map", "stdio.write"};

using PointIndex = std::size_t;
inline constexpr PointIndex random_worker = 0, random_fork_server = 1;

// points.size() if there is none of this name.
constexpr PointIndex find_point(std::string_view name) {
  PointIndex index = 0;
  while (index < points.size() && points[index].name != name) ++index;
  return index;
}

enum class Kind : std::uint8_t { none, kill, segv, abort, exit };
inline constexpr std::array kinds{Kind::kill, Kind::segv, Kind::abort, Kind::exit};
constexpr std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, 5> names{"none", "SIGKILL", "SIGSEGV", "abort", "exit"};
  return names[static_cast<std::size_t>(kind)];
}
int signal_of(Kind kind);  // 0: it exits, with this code:
inline constexpr int exit_code = 3;

}  // namespace bulkhead::torture
