#include "faults/apps.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "faults/service/handlers.hpp"
#include "platform/fd.hpp"
#include "platform/host.hpp"
#include "platform/proc.hpp"

namespace bulkhead::test {

namespace {

using Arguments = AppArguments;
namespace fs = std::filesystem;

void end_like_this(const std::string& how) {
  if (how == "exit") std::exit(0);
  if (how == "_exit") ::_exit(0);
  if (how == "abort") std::abort();
  if (how == "throw") throw std::runtime_error("nobody catches this");
  while (how == "wait") ::pause();
}

// folder, how it ends, and "busy" if calls run then. Every worker has started helpers.
int live(const Arguments& given) {
  const fs::path folder = given.at(0);
  const bool busy = given.at(2) == "busy";
  static Pool<TestService> pool{{.workers = 2}};
  const auto lone = Worker<TestService>::start();
  std::vector<Future<pid_t>> helpers, blocked;
  for (const Helper helper : {Helper::child, Helper::own_session, Helper::grandchild})
    helpers.push_back(pool.run(Start{helper}));
  for (auto& helper : helpers) helper.get();
  const auto block = [&](const std::string& name) {
    blocked.push_back(pool.run(Block{folder / name, folder / "never"}));
  };
  if (busy) {
    for (const char* name : {"first", "second", "third"}) block(name);
    wait_for(folder / "first");
    wait_for(folder / "second");
  }
  put(folder / "ready", std::to_string(lone.pid()));
  wait_for(folder / "go");
  end_like_this(given.at(1));
  return 0;
}

// folder. Starts workers, which its environment may make impossible.
int start_only(const Arguments& given) {
  const fs::path folder = given.at(0);
  std::ofstream(folder / "begun").put('\n');
  const Pool<TestService> pool{{.workers = 2}};
  put(folder / "ready", "");
  for (;;) ::pause();
}

// folder. Shuts down while a call runs that is never answered.
int shut_down(const Arguments& given) {
  const fs::path folder = given.at(0);
  Pool<TestService> pool{{.workers = 2}};
  const auto blocked = pool.run(Block{folder / "begun", folder / "go"});
  wait_for(folder / "begun");
  put(folder / "ready", "");
  pool.shutdown(std::chrono::hours(1));
  return 0;
}

// One with nothing wrong: neither it nor the library has anything to say.
int quiet(const Arguments&) {
  {
    Pool<TestService> pool{{.workers = 2}};
    if (pool.run(Add{1, 2}).get() != 3) return 1;
    try {
      pool.run(Throw{}).get();
    } catch (const Error&) {
    }
    pool.shutdown();
  }
  const auto dropped = Worker<TestService>::start();
  return dropped.alive() ? 0 : 1;
}

int lone(const Arguments&) {
  auto worker = Worker<TestService>::start();
  if (worker.pid() == 0 || worker.run(Add{1, 2}).get() != 3) return 1;
  try {
    worker.run(Throw{}).get();
  } catch (const Error& error) {
    const std::string name = "test worker " + std::to_string(worker.pid());
    return std::string(error.what()).starts_with(name) ? 0 : 2;
  }
  return 3;
}

// Its two workers write at the same time, each in halves of lines.
int talkative(const Arguments&) {
  auto one = Worker<TestService>::start(), other = Worker<TestService>::start();
  for (int i = 0; i < 200; ++i) {
    one.run(Say{"to standard", 1}).get();
    other.run(Say{"to stand", 2}).get();
    one.run(Say{" output\n", 1}).get();
    other.run(Say{"ard error\n", 2}).get();
  }
  one.shutdown();
  other.shutdown();
  return 0;
}

// The author of this one forgot serve_if_worker: it launches itself, which would launch itself ...
int forget(const Arguments& given) {
  std::ofstream(given.at(0), std::ios::app) << ::getpid() << '\n' << std::flush;
  try {
    const Pool<TestService> pool{{.workers = 2}};
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.code() == errc::not_served ? 7 : 1;
  }
  return 0;
}

// folder. Its program's file goes away and another takes its place, while it runs.
int replaced(const Arguments& given) {
  const fs::path program = fs::path(given.at(0)) / "program";
  if (platform::own_executable() != program.native()) {
    fs::copy_file("/proc/self/exe", program);
    ::execl(program.c_str(), "app", "--app=replaced", given.at(0).c_str(), nullptr);
    return 2;
  }
  fs::remove(program);
  std::ofstream(program) << "no program\n";
  for (const bool fresh : {false, true}) {
    Pool<TestService> pool{{.workers = 2, .launch = Launch::self().fresh(fresh)}};
    try {
      pool.run(Die{Death::abort}).get();
    } catch (const Error&) {
    }
    for (int i = 0; i < 10; ++i)
      if (pool.run(Add{i, 1}).get() != i + 1) return 1;
  }
  return 0;
}

const Apps apps{{"replaced", replaced},   {"live", live}, {"start_only", start_only},
                {"shut_down", shut_down}, {"lone", lone}, {"quiet", quiet},
                {"talkative", talkative}};

constexpr std::string_view prefix = "--app=";

auto find_main(const std::string& name) {
  for (const Apps* some : {&apps, &container_apps, &fork_apps, &guest_apps, &host_apps, &limit_apps,
                           &point_apps, &stdio_apps, &time_apps, &user_apps})
    if (const auto found = some->find(name); found != some->end()) return found->second;
  throw std::invalid_argument("there is no app " + name);
}

int run_app(const std::string& name, const Arguments& given) try {
  return find_main(name)(given);
} catch (const std::exception& error) {
  if (name == "live") throw;  // nobody is to catch what it throws
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

}  // namespace

std::optional<AppPart> find_app(int argc, char** argv) {
  if (const char* log = std::getenv("TEST_FORGETFUL"))
    return AppPart{.serves_nothing = true, .run = [log] { return forget({log}); }};
  if (argc < 2 || !std::string_view(argv[1]).starts_with(prefix)) return std::nullopt;
  const std::string name = argv[1] + prefix.size();
  const Arguments given(argv + 2, argv + argc);
  return AppPart{.run = [name, given] { return run_app(name, given); }};
}

void become_app(const std::string& name, const Arguments& arguments) {
  std::string flag = std::string(prefix) + name, zero = "app";
  std::vector<char*> pointers{zero.data(), flag.data()};
  auto copies = arguments;
  for (std::string& argument : copies) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv("/proc/self/exe", pointers.data());
  ::_exit(127);
}

App::App(const std::string& name, const Arguments& arguments, const Environment& environment) {
  const auto written = platform::open_file(file("written"), O_CREAT | O_WRONLY | O_APPEND, 0600);
  process::Program program{.path = "/proc/self/exe",
                           .arguments = {"app", std::string(prefix) + name, folder_.path()}};
  program.arguments.insert(program.arguments.end(), arguments.begin(), arguments.end());
  program.environment = process::make_environment(platform::environment(), environment);
  program.descriptors = {{written.get(), 1}, {written.get(), 2}};
  program.new_session = true;
  child_ = process::spawn(program);
}

App::~App() {
  if (reaped_) return;
  kill(SIGKILL);
  child_.pidfd.reap(true);
}

platform::Ending App::ending() {
  if (!child_.pidfd.wait_ended(std::chrono::seconds(20)))
    throw std::runtime_error("the app does not end; it wrote: " + written());
  reaped_ = true;
  return child_.pidfd.reap(true).value();
}

void check_ends_well(App& app) {
  const auto ending = app.ending();
  INFO(app.written());
  const bool exited = ending.how == platform::Ending::How::exited;
  if (exited && ending.status == not_permitted) WARN("skipped: this system does not permit it");
  CHECK(exited);
  CHECK((ending.status == 0 || ending.status == not_permitted));
}

std::string App::written() const { return platform::read_file(file("written")); }

}  // namespace bulkhead::test
