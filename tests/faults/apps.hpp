// Applications that end in ways which no test could survive: this same program, started anew.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/pidfd.hpp"
#include "process/spawn.hpp"
#include "support/temp_dir.hpp"

namespace bulkhead::test {

// ------------------------------------------------------------ seen by the test

// One that runs. Killed when dropped.
class App {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  // `name` is one of those in *apps.cpp; it is given `folder`, then the arguments.
  App(const std::string& name, const std::vector<std::string>& arguments = {},
      const Environment& environment = {});
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  pid_t pid() const { return child_.pid; }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  void kill(int signal) const { child_.pidfd.signal(signal); }
  // Waits for its end, under a watchdog.
  platform::Ending ending();
  // What it and its workers have written to standard output and error.
  std::string written() const;

 private:
  TempDir folder_;
  process::Child child_;
  bool reaped_ = false;
};

// Fails the test unless it ends with 0, or says that the system does not permit what it needs.
void check_ends_well(App& app);

// ------------------------------------------------------------ the apps themselves

constexpr int not_permitted = 77;  // what such an app returns

using AppArguments = std::vector<std::string>;
using Apps = std::map<std::string, int (*)(const AppArguments&)>;
extern const Apps container_apps, fork_apps, guest_apps, host_apps, limit_apps, point_apps,
    stdio_apps, time_apps, user_apps;

// Becomes this other one of them, as its arguments say.
[[noreturn]] void become_app(const std::string& name, const AppArguments& arguments);

// For apps that leave memory behind on purpose, or cannot be traced: the leak sanitizer looks away.
inline const App::Environment no_leak_sanitizer{{"LSAN_OPTIONS", "detect_leaks=0"}};

// ------------------------------------------------------------ seen by main

struct AppPart {
  bool serves_nothing = false;  // its author forgot serve_if_worker
  std::function<int()> run;
};
// Which one this process is to be; empty: it is the tests.
std::optional<AppPart> find_app(int argc, char** argv);

}  // namespace bulkhead::test
