// Workers that the kernel kills because memory runs out.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

// A memory cgroup of version 1 or 2, as this machine has it.
class SmallMemory {
 public:
  SmallMemory() {
    for (const auto& [root, limit] : {std::pair("/sys/fs/cgroup/memory/", "memory.limit_in_bytes"),
                                      std::pair("/sys/fs/cgroup/", "memory.max")}) {
      path_ = root + ("bulkhead-test-" + std::to_string(::getpid()));
      std::error_code error;
      if (!std::filesystem::create_directory(path_, error)) continue;
      std::ofstream file(path_ / limit);
      if (std::filesystem::exists(path_ / limit) && file << "67108864" << std::flush) return;
      std::filesystem::remove(path_, error);
    }
    path_.clear();
  }
  ~SmallMemory() {
    std::error_code error;
    if (path_.empty()) return;
    CHECK(wait_until([&] { return std::filesystem::remove(path_, error); }));
  }
  explicit operator bool() const { return !path_.empty(); }
  std::string door() const { return path_ / "cgroup.procs"; }

 private:
  std::filesystem::path path_;
};

}  // namespace

// Fault crash.out-of-memory (one call): there is no memory left for a worker, and the kernel kills
// it.
// Then: the cause is `out_of_memory`; killed by anybody else it is `signaled`.
TEST_CASE("a worker that is killed for want of memory is told apart") {
  const LeakCheck leaks;
  const SmallMemory memory;
  if (!memory) {
    WARN("no cgroup for memory can be made here");
    return;
  }
  const Launch launch = Launch::self().env("TEST_WARM_UP", "enter=" + memory.door());
  TestPool pool{{.workers = 1, .launch = launch}};
  const Error error = error_of(pool.run(Leak{std::uint64_t{1} << 30}));
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->status.signal == SIGKILL);
  CHECK(error.crash()->cause == Cause::out_of_memory);
  CHECK(mentions(error, "out of memory"));
}
