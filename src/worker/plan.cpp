#include "worker/plan.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "platform/host.hpp"
#include "platform/proc.hpp"
#include "worker/handshake.hpp"
#include "worker/huge_pages.hpp"
#include "worker/stock_worker.hpp"

namespace bulkhead::worker {

namespace {

// By this name the kernel finds the image that this process runs, also when its file has moved or
// was replaced.
constexpr const char* own_image = "/proc/self/exe";
constexpr const char* depth_variable = "BULKHEAD_DEPTH";

// How many apps there are above this process, each a worker of the one before.
unsigned own_depth() {
  const char* const variable = std::getenv(depth_variable);
  const std::string_view text = variable ? variable : "";
  unsigned depth = 0;
  std::from_chars(text.begin(), text.end(), depth);
  return depth;
}

std::string depth_below(const std::string& service) {
  const unsigned depth = own_depth();
  if (depth < deepest) return std::to_string(depth + 1);
  throw Error(errc::start_failed, "workers for " + service +
                                      " were to be started by a worker, which is itself " +
                                      std::to_string(depth) +
                                      " workers deep: does one start its own kind? (where more is "
                                      "meant, clear " +
                                      depth_variable + " in the environment of the outer ones)");
}

// What has a relative path is meant from here, also where the program starts in another directory.
std::string from_here(const std::filesystem::path& path) {
  return path.empty() ? path.string() : std::filesystem::absolute(path).string();
}

std::vector<std::string> first_arguments(const Launch& launch, const std::string& path) {
  if (!launch.library().empty()) return {path, from_here(launch.library())};
  if (launch.program().empty()) return {platform::own_executable()};
  return {launch.program().string()};
}

// What becomes a worker, or has workers: it dies with the thread that starts it. That thread lives
// as long as its process does: an app's reactor, or a fork server's only one.
process::Program bound(process::Program program, const std::string& service, Role role) {
  for (auto& entry : launch_environment(service, control_number, role))
    program.environment.push_back(std::move(entry));
  program.new_session = true;
  program.dies_with_parent_thread = true;
  return program;
}

}  // namespace

process::Program fork_server_program(const Launch& launch, const std::string& service) {
  process::Program program;
  if (!launch.library().empty())
    program.path = find_stock_worker(launch.packaged_worker());
  else
    program.path = launch.program().empty() ? own_image : from_here(launch.program());
  program.arguments = first_arguments(launch, program.path);
  program.arguments.insert(program.arguments.end(), launch.arguments().begin(),
                           launch.arguments().end());
  auto environment = launch.environment();
  environment.emplace_back(depth_variable, depth_below(service));
  program.environment =
      process::make_environment(platform::environment(), environment, {"BULKHEAD_CONNECT_TIMEOUT"});
  if (!launch.is_fresh()) ask_for_huge_pages(program.environment);
  if (!launch.directory().empty()) program.working_directory = launch.directory().string();
  return bound(std::move(program), service,
               launch.is_fresh() ? Role::fresh_fork_server : Role::fork_server);
}

process::Program worker_program(const std::string& service) {
  return bound({.path = own_image,
                .arguments = platform::own_arguments(),
                .environment = platform::environment()},
               service, Role::worker);
}

}  // namespace bulkhead::worker
