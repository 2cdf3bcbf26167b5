// Applications that end in ways which no test could survive: this same program, started anew.
#pragma once

#include <filesystem>
#include <functional>
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

  // `name` is one of those in apps.cpp; it is given `folder`, then the arguments.
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

// ------------------------------------------------------------ seen by main

struct AppPart {
  bool serves_nothing = false;  // its author forgot serve_if_worker
  std::function<int()> run;
};
// Which one this process is to be; empty: it is the tests.
std::optional<AppPart> find_app(int argc, char** argv);

}  // namespace bulkhead::test
