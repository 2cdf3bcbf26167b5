#include "faults/service/handlers.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <thread>

#include "platform/fault.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "platform/unsanitized.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::test {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> arguments() {
  std::istringstream line(platform::read_file("/proc/self/cmdline"));
  std::vector<std::string> found;
  for (std::string argument; std::getline(line, argument, '\0');) found.push_back(argument);
  return found;
}

std::vector<std::string> environment() {
  std::vector<std::string> found;
  for (char** entry = environ; *entry; ++entry) found.emplace_back(*entry);
  return found;
}

std::vector<std::string> descriptors() {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = fs::read_symlink(entry.path(), gone);
    if (!gone && !target.native().starts_with("/proc/"))
      found.push_back(entry.path().filename().native() + " " + target.native());
  }
  return found;
}

// Tells through the pipe who it is, and waits.
[[noreturn]] void be_helper(const platform::Pipe& pipe) {
  const pid_t self = ::getpid();
  if (::write(pipe.write.get(), &self, sizeof self) != sizeof self) ::_exit(1);
  wait_for_ever();
}

}  // namespace

void wait_for_ever() {
  for (;;) ::pause();
}

void put(const fs::path& file, const std::string& text) {
  // Several processes may put the same.
  const fs::path draft = file.string() + ".draft" + std::to_string(::getpid());
  std::ofstream(draft) << text;
  fs::rename(draft, file);
}

void wait_for(const fs::path& file) {
  constexpr std::chrono::minutes watchdog(10);  // longer than any test
  if (!test::wait_until([&] { return fs::exists(file); }, watchdog))
    throw std::runtime_error("nobody made " + file.string());
}

std::string echo(Echo request) { return std::move(request.text); }
int add(const Add& request) { return request.a + request.b; }
void nothing(const Nothing&) {}

std::unique_ptr<int> twice(Double request) {
  if (request.number) *request.number *= 2;
  return std::move(request.number);
}

std::string answer(const Answer& request) {
  std::string text(request.size, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

pid_t block(const Block& request) {
  put(request.begun, std::to_string(::getpid()));
  wait_for(request.until);
  return ::getpid();
}

pid_t linger(const Linger& request) {
  const auto note_it = [&](const char* what) {
    note({request.log, request.name + what + std::to_string(::getpid())});
  };
  note_it(" begins ");
  wait_for(request.until);
  note_it(" ends ");
  return ::getpid();
}

void compute(const Compute& request) {
  const auto used = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
  };
  const auto end = used() + request.milliseconds;
  while (used() < end) continue;
}

void note(const Note& request) {
  std::ofstream(request.log, std::ios::app) << request.line + "\n" << std::flush;
}

pid_t block_again(const BlockAgain& request) { return block(request); }

View look_around(const LookAround&) {
  View view;
  view.pid = ::getpid();
  view.parent = ::getppid();
  view.session = ::getsid(0);
  char byte = 0;
  view.input_is_empty = ::read(0, &byte, 1) == 0;
  view.threads = platform::thread_count();
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  view.core_limit = core.rlim_cur;
  view.open_to_debuggers = ::prctl(PR_GET_DUMPABLE) == 1;
  view.directory = fs::current_path();
  view.arguments = arguments();
  view.environment = environment();
  view.descriptors = descriptors();
  return view;
}

std::pair<pid_t, std::uint64_t> who_am_i(const WhoAmI&, Context& context) {
  return {::getpid(), context.request_id()};
}

void say(const Say& request) {
  for (std::string_view rest = request.text; !rest.empty();) {
    const ssize_t written = ::write(request.descriptor, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) throw std::runtime_error("cannot say it");
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void flood(const Flood& request) {
  std::string lines;
  while (lines.size() < 64 * 1024) lines += request.line;
  for (std::uint64_t written = 0; written < request.size; written += 2 * lines.size())
    for (const int descriptor : {1, 2}) say({lines, descriptor});
  say({"\nthe last words\n", 2});
  std::abort();
}

void poison(const Poison& request) {
  std::ofstream(request.log, std::ios::app) << std::to_string(::getpid()) + '\n' << std::flush;
  std::abort();
}

void inject([[maybe_unused]] const Inject& request) {
#ifdef BULKHEAD_FAULT_POINTS
  platform::use_faults(request.faults);
#else
  throw std::logic_error("there are no fault points in this build");
#endif
}

void throw_it(const Throw& request) {
  switch (request.thrown) {
    case Thrown::standard:
      throw std::out_of_range("there is no seventh page");
    case Thrown::other:
      throw 42;
    case Thrown::huge:
      throw std::runtime_error("huge " + std::string(1 << 20, 'x'));
    case Thrown::binary:
      throw std::runtime_error("one\x1b[2J\x01\xff two");
  }
}

std::vector<pid_t> nest(const Nest& request) {
  std::vector<pid_t> pids{::getpid()};
  if (request.deeper == 0 && request.blocked.empty()) return pids;
  if (request.deeper == 0) {
    put(request.blocked, std::to_string(::getpid()));
    wait_for_ever();
  }
  Pool<TestService> pool{{.workers = 1}};
  const auto below = pool.run(Nest{request.deeper - 1, request.blocked}).get();
  pids.insert(pids.end(), below.begin(), below.end());
  return pids;
}

Troubled trouble(const Trouble& request) { return {request.where}; }

pid_t start(const Start& request) {
  const platform::Pipe pipe = platform::make_pipe();
  if (const pid_t child = ::fork(); child == 0) {
    if (request.helper == Helper::own_session) ::setsid();
    if (request.helper == Helper::grandchild && ::fork() != 0) ::_exit(0);
    be_helper(pipe);
  }
  pid_t helper = 0;
  if (::read(pipe.read.get(), &helper, sizeof helper) != sizeof helper)
    throw std::runtime_error("the helper did not start");
  return helper;
}

namespace {

bool take_one(Greed greed) {
  switch (greed) {
    case Greed::descriptors:
      return ::dup(0) >= 0;
    case Greed::threads:
      try {
        std::thread(wait_for_ever).detach();
        return true;
      } catch (const std::system_error&) {
        return false;
      }
    case Greed::processes:
      const pid_t child = ::fork();
      if (child == 0) {
        ::setsid();
        wait_for_ever();
      }
      return child > 0;
  }
  return false;
}

}  // namespace

std::uint64_t grab(const Grab& request) {
  std::uint64_t taken = 0;
  while (taken < request.most && take_one(request.greed)) ++taken;
  return taken;
}

// Still reachable: the leak is this library's test, and none of the sanitizer's.
void leak(const Leak& request) {
  static std::vector<std::vector<char>> kept;
  kept.emplace_back(request.bytes, 'x');
}

const std::atomic<int>& begin_storm() {
  static std::atomic<int> signals = 0;
  struct sigaction action {};
  action.sa_handler = [](int) { ++signals; };
  const suseconds_t every = BULKHEAD_SANITIZED ? 1000 : 100;  // us
  const itimerval often{{0, every}, {0, every}};
  if (::sigaction(SIGALRM, &action, nullptr) != 0 || ::setitimer(ITIMER_REAL, &often, nullptr) != 0)
    throw std::runtime_error("there is no storm");
  return signals;
}

}  // namespace bulkhead::test
