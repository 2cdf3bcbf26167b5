// Shared memory that goes away under the app's hands would end it by SIGBUS: what a hostile worker,
// or another user of the machine, can do about it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace fs = std::filesystem;

namespace {

// Each with no other processes, whatever tests run beside.
constexpr uid_t attacked_user = 65531;

#ifdef BULKHEAD_FAULT_POINTS

constexpr uid_t user = 65532, other_user = 65533;

std::optional<fs::path> name_of_a_segment() {
  for (const auto& entry : fs::directory_iterator("/dev/shm")) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) == 0 && status.st_uid == user &&
        entry.path().filename().native().starts_with("bulkhead-"))
      return entry.path();
  }
  return std::nullopt;
}

void become(uid_t uid) {
  expect(::setresgid(uid, uid, uid) == 0 && ::setresuid(uid, uid, uid) == 0);
}

void expect_refused(int result, const char* what) {
  expect(result < 0 && (errno == EACCES || errno == EPERM), what);
}

void attack_by_another_user(const fs::path& name, const fs::path& descriptors) {
  become(other_user);
  const fs::path elsewhere = name.native() + "-stolen";
  expect_refused(::open(name.c_str(), O_RDONLY | O_CLOEXEC), "open");
  expect_refused(::open(name.c_str(), O_RDWR | O_CLOEXEC), "open to write");
  expect_refused(::truncate(name.c_str(), 0), "truncate");
  expect_refused(::chmod(name.c_str(), 0666), "chmod");
  expect_refused(::unlink(name.c_str()), "unlink");
  expect_refused(::rename(name.c_str(), elsewhere.c_str()), "rename");
  expect_refused(::open(descriptors.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "descriptors");
}

#endif

}  // namespace

// Fault hostile.truncate (one call): it tries to shrink the memory that it shares, or to punch
// holes into it, by names, descriptors and mappings, its own and its app's. Then: unless the app's
// user is root it finds no way, but to punch holes into what it may write: these read as zeros,
// which harm its own calls only.
TEST_CASE("a worker of an unprivileged user cannot shrink the memory that it shares") {
  const LeakCheck leaks;
  App app("as_user", {std::to_string(attacked_user), "shrunk"}, no_leak_sanitizer);
  check_ends_well(app);
}

// Fault hostile.truncate (many calls)
TEST_CASE("a worker that punches holes into its memory all the time harms nobody") {
  const LeakCheck leaks;
  TestPool good{{.workers = 1}};
  for (int round = 0; round < 10; ++round) {
    const Gate gate;
    TestPool pool{{.workers = 2, .restart = {.count = 0}}};
    auto [sender, receiver] = channel<std::uint64_t>(4);
    const RunOptions in_time{.timeout = 300ms};  // the holes may have swallowed the call
    auto hostile = pool.run(PunchHoles{std::move(sender), gate.call("").until}, in_time);
    std::vector<Future<std::string>> calls;
    for (int i = 0; i < 20; ++i) calls.push_back(pool.run(Echo{std::string(10'000, 'x')}, in_time));
    try {
      for (int i = 0; i < 10 && receiver.receive(); ++i) continue;
    } catch (const Error& error) {
      CHECK(error.code() == errc::channel_closed);
    }
    for (int i = 0; i < 20; ++i) REQUIRE(value_of(good.run(Add{i, 1})) == i + 1);
    gate.open();
    for (auto& call : calls) {
      REQUIRE(call.wait_for(default_watchdog));
      try {
        const bool right = call.get() == std::string(10'000, 'x');
        CHECK(right);
      } catch (const Error& error) {
        INFO(error.what());
        CHECK((error.code() == errc::worker_crashed || error.code() == errc::deadline_exceeded));
      }
    }
  }
  CHECK(good.stats().crashes == 0);
}

#ifdef BULKHEAD_FAULT_POINTS

// Fault hostile.other-user (idle): another user of the machine goes for the memory of a worker
// while it has a name, as it starts. Then: the name leads nowhere for that user, who cannot take it
// away or guess the next one either.
TEST_CASE("another user can do nothing with the name of a worker's memory") {
  if (::geteuid() != 0) {
    WARN("skipped: only root can be two users");
    return;
  }
  const LeakCheck leaks;
  App app("as_user", {std::to_string(user), "start_only"},
          {{"BULKHEAD_FAULT", "worker.before_open:*:stall"}});
  std::optional<fs::path> name;
  REQUIRE(wait_until([&] { return (name = name_of_a_segment()).has_value(); }));
  const fs::path descriptors = "/proc/" + std::to_string(app.pid()) + "/fd";
  CHECK(in_child([&] { attack_by_another_user(*name, descriptors); }) == 0);
  CHECK(fs::exists(*name));
  app.kill(SIGKILL);
  app.ending();
}

#endif
