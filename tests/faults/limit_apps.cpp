// Applications at the limits of what the system gives them: descriptors, shared memory.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "faults/service/handlers.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "support/in_child.hpp"

namespace bulkhead::test {

namespace {

namespace fs = std::filesystem;

// ------------------------------------------------------------ descriptors

std::ptrdiff_t descriptors() {
  return std::distance(fs::directory_iterator("/proc/self/fd"), {}) - 1;
}

void limit_descriptors(std::size_t limit) {
  const rlimit now{limit, 4096};
  expect(::setrlimit(RLIMIT_NOFILE, &now) == 0);
}

void expect_too_many_files(const Error& error) {
  expect(error.code() == errc::start_failed || error.code() == errc::worker_crashed, error.what());
  if (error.code() == errc::start_failed && !error.crash())
    expect(error.system().value() == EMFILE, error.what());
}

// Starts a pool with room for 0, 1, 2 ... descriptors until there is enough.
int few_for_a_start(const AppArguments&) {
  limit_descriptors(4096);
  { TestPool warm_up{{.workers = 1}}; }
  const auto before = descriptors();
  for (std::size_t room = 0;; ++room) {
    expect(room < 100, "it never starts");
    limit_descriptors(static_cast<std::size_t>(before) + room);
    bool started = false;
    try {
      TestPool pool{{.workers = 2, .restart = {.count = 0}}};
      started = true;
      // Some of them may have started, with which it is a pool.
      expect(value_of(pool.run(Add{1, 2})) == 3);
      if (pool.stats().workers == 2 && pool.stats().crashes == 0) {
        pool.shutdown();
        break;
      }
    } catch (const Error& error) {
      expect(!started, error.what());
      expect_too_many_files(error);
    }
    limit_descriptors(4096);
    expect(wait_until([&] { return descriptors() == before; }),
           std::to_string(descriptors() - before) + " left with room for " + std::to_string(room));
  }
  return 0;
}

// Takes all descriptors that there are but a few.
std::vector<platform::Fd> fill_descriptors(std::size_t but) {
  limit_descriptors(static_cast<std::size_t>(descriptors()) + but);
  std::vector<platform::Fd> filling;
  for (int fd = 0; fd >= 0; filling.emplace_back(fd)) fd = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
  filling.resize(filling.size() - 1 - but);
  return filling;
}

// A worker, whose own become free, dies while there is room for 0, 1, 2 ... descriptors more.
int few_for_a_restart(const AppArguments& given) {
  const fs::path folder = given.at(0);
  for (std::size_t room = 0; room < 8; ++room) {
    limit_descriptors(4096);
    TestPool pool{{.workers = 2, .restart = {.count = 0}}};
    const pid_t server = value_of(pool.run(LookAround{})).parent;
    const fs::path begun = folder / std::to_string(room), go = begun.string() + "go";
    auto running = pool.run(Block{begun, go});
    wait_for(begun);
    const auto before = descriptors();
    auto filling = fill_descriptors(room);
    expect(error_of(pool.run(Die{Death::kill})).code() == errc::worker_crashed);
    expect(wait_until([&] { return pool.stats().restarts > 0 || pool.stats().crashes > 1; }));
    filling.clear();
    limit_descriptors(4096);
    expect(wait_until([&] { return pool.stats().workers == 2; }), "no restart");
    expect(!running.ready());
    put(go, "");
    expect(value_of(std::move(running)) > 0);
    expect(value_of(pool.run(LookAround{})).parent == server, "the fork server was ended");
    expect(wait_until([&] { return descriptors() == before; }),
           std::to_string(descriptors() - before) + " left with room for " + std::to_string(room));
  }
  return 0;
}

// The worker has started, and there is no room for what the app would hold it by. Its fork server
// stops before the third fork.
int none_for_a_pidfd(const AppArguments&) {
  limit_descriptors(4096);
  TestPool pool{{.workers = 2, .restart = {.count = 0}}};
  const pid_t server = value_of(pool.run(LookAround{})).parent;
  const auto before = descriptors();
  expect(error_of(pool.run(Die{Death::kill})).code() == errc::worker_crashed);
  const std::string stat = "/proc/" + std::to_string(server) + "/stat";
  expect(wait_until([&] {
    const auto process = platform::parse_process_stat(platform::read_file(stat));
    return process && process->state == 'T' && pool.stats().restarts == 1;
  }));
  auto filling = fill_descriptors(0);
  expect(::kill(server, SIGCONT) == 0);
  expect(wait_until([&] { return pool.stats().crashes > 1; }));
  expect(value_of(pool.run(Add{1, 2})) == 3);  // by the other
  filling.clear();
  limit_descriptors(4096);
  expect(wait_until([&] { return pool.stats().workers == 2; }), "no restart");
  expect(value_of(pool.run(LookAround{})).parent == server, "the fork server was ended");
  expect(wait_until([&] { return platform::children_of(server).size() == 2; }));
  expect(wait_until([&] { return descriptors() == before; }));
  return 0;
}

// ------------------------------------------------------------ shared memory

// In a mount namespace of its own. False where that is not permitted.
bool mount_own(const char* path, unsigned long flags, const char* options) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", path, "tmpfs", flags, options) == 0;
}

bool mount_memory(const char* options, unsigned long flags = 0) {
  return mount_own("/dev/shm", flags, options);
}

std::ptrdiff_t names() { return std::distance(fs::directory_iterator("/dev/shm"), {}); }

// As containers have it.
int small_memory(const AppArguments& given) {
  const fs::path folder = given.at(0);
  if (!mount_memory("size=64m", MS_NOEXEC)) return not_permitted;
  {
    TestPool pool{{.workers = 64}};
    expect(pool.stats().workers == 64 && pool.stats().crashes == 0);
    std::vector<Future<pid_t>> calls;
    for (int i = 0; i < 64; ++i)
      calls.push_back(pool.run(Block{folder / std::to_string(i), folder / "go"}));
    for (int i = 0; i < 64; ++i) wait_for(folder / std::to_string(i));
    put(folder / "go", "");
    for (auto& call : calls) expect(value_of(std::move(call)) > 0);
  }
  expect(names() == 0);
  return 0;
}

template <class Start>
void expect_no_start(Start start, int error, const std::string& words) {
  const Error why = start_error_of(start);
  expect(why.code() == errc::start_failed && why.system().value() == error, why.what());
  expect(mentions(why, words), why.what());
}

int no_memory(const AppArguments& given) {
  const std::string& how = given.at(1);
  const auto start = [] { return TestPool({.workers = 2}); };
  if (how == "full") {
    if (!mount_memory("size=256k")) return not_permitted;
    expect_no_start(start, ENOSPC, "/dev/shm is full");
    expect_no_start([] { return TestWorker::start(); }, ENOSPC, "make it larger");
    expect(names() == 0);
  }
  if (how == "read-only") {
    if (!mount_memory("", MS_RDONLY)) return not_permitted;
    expect_no_start(start, EROFS, "/dev/shm/bulkhead-");
  }
  if (how == "absent") {
    if (!mount_own("/dev", 0, "") || ::mknod("/dev/null", S_IFCHR | 0666, ::makedev(1, 3)) != 0)
      return not_permitted;
    expect_no_start(start, ENOENT, "/dev/shm/bulkhead-");
  }
  return 0;
}

// It is filled up while a pool runs.
int filling_memory(const AppArguments&) {
  if (!mount_memory("size=4m")) return not_permitted;
  TestPool pool{{.workers = 2, .restart = {.count = 0}}};
  const platform::Fd filler = platform::open_file("/dev/shm/filler", O_CREAT | O_WRONLY, 0600);
  const std::string page(4096, 'x');
  // The first idle worker that dies is replaced at once, the second after a while.
  expect(::kill(pid_of(pool), SIGKILL) == 0);
  expect(wait_until([&] { return pool.stats().crashes == 1 && pool.stats().workers == 2; }));
  expect(::kill(pid_of(pool), SIGKILL) == 0);
  expect(wait_until([&] {
    while (::write(filler.get(), page.data(), page.size()) > 0) continue;
    return pool.stats().crashes >= 3;
  }));
  expect(value_of(pool.run(Add{1, 2})) == 3);  // by the other
  expect(::ftruncate(filler.get(), 0) == 0);
  expect(wait_until([&] { return pool.stats().workers == 2; }));
  auto lone = TestWorker::start();
  expect(value_of(lone.run(Add{1, 2})) == 3);
  return 0;
}

}  // namespace

const Apps limit_apps{{"few_for_a_start", few_for_a_start},
                      {"few_for_a_restart", few_for_a_restart},
                      {"none_for_a_pidfd", none_for_a_pidfd},
                      {"small_memory", small_memory},
                      {"no_memory", no_memory},
                      {"filling_memory", filling_memory}};

}  // namespace bulkhead::test
