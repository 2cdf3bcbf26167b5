#include "process/cgroup.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <thread>

#include "process/members.hpp"
#include "process/roof.hpp"
#include "support/blocked.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::process;
using bulkhead::test::default_watchdog;
using bulkhead::test::is_polling;
using bulkhead::test::wait_until;

TEST_CASE("the process's own cgroup is found wherever it is mounted") {
  const std::string plain = "26 23 0:24 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
  CHECK(find_own_cgroup("0::/\n", plain) == "/sys/fs/cgroup");
  CHECK(find_own_cgroup("0::/a/b\n", plain) == "/sys/fs/cgroup/a/b");

  const std::string hybrid =
      "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
      "36 31 0:33 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  CHECK(find_own_cgroup("9:name=systemd:/x\n4:memory:/y\n0::/z\n", hybrid) ==
        "/sys/fs/cgroup/unified/z");

  const std::string part = "50 40 0:24 /docker/1 /my\\040cgroup rw - cgroup2 cgroup rw\n";
  CHECK(find_own_cgroup("0::/docker/1\n", part) == "/my cgroup");
  CHECK(find_own_cgroup("0::/docker/1/x\n", part) == "/my cgroup/x");
  CHECK_FALSE(find_own_cgroup("0::/docker/12\n", part));
  CHECK(find_own_cgroup("0::/docker/12\n", part + plain) == "/sys/fs/cgroup/docker/12");
}

TEST_CASE("a system without cgroup v2 has none") {
  CHECK_FALSE(find_own_cgroup("", ""));
  CHECK_FALSE(find_own_cgroup("4:memory:/y\n", "26 23 0:24 / /c rw - cgroup2 cgroup2 rw\n"));
  CHECK_FALSE(find_own_cgroup("0::/\n", "1 2 0:3 / /c rw - cgroup cgroup rw,cpu\nnonsense\n"));
}

TEST_CASE("a roof's name tells whose it is") {
  const auto owner = parse_roof_name("bulkhead-12-345-678");
  REQUIRE(owner);
  CHECK(owner->pid == 12);
  CHECK(owner->start_time == 345);
  for (const char* other : {"", "bulkhead-", "bulkhead-12", "bulkhead-12-", "bulkhead-12-34",
                            "bulkhead-x-1-2", "other-12-345-678"})
    CHECK_FALSE(parse_roof_name(other));
}

TEST_CASE("process ids are read without those of foreign namespaces") {
  CHECK(pids_in("12\n0\n345\n") == std::vector<pid_t>{12, 345});
  CHECK(pids_in("").empty());
}

TEST_CASE("strays are the children that are neither workers nor from before") {
  CHECK(strays_among({1, 2, 3, 4}, {2}, {4}) == std::vector<pid_t>{1, 3});
  CHECK(strays_among({2, 4}, {2}, {4}).empty());
}

// A plain file in place of the kernel's, whose changes nobody tells.
TEST_CASE("a cgroup that becomes empty is noticed, though the kernel does not say so") {
  const bulkhead::test::TempDir folder;
  const std::string events = folder / "cgroup.events";
  std::ofstream(events) << "populated 1\n";
  const auto cgroup = Cgroup::open(folder.path());
  REQUIRE(cgroup);
  bool waited = false;
  std::thread change([&, waiter = ::gettid()] {
    waited = wait_until([&] { return is_polling(waiter); });
    std::ofstream(events) << "populated 0\n";
  });
  CHECK(cgroup->wait_empty(default_watchdog));
  change.join();
  CHECK(waited);
}

// Files stand for the kernel's, which has such a cgroup on few systems.
TEST_CASE("a cgroup passes a controller on if it has it, and limits what that counts") {
  const bulkhead::test::TempDir folder;
  const auto cgroup = *Cgroup::open(folder.path());
  const auto text = [&](const char* file) {
    std::string found;
    std::getline(std::ifstream(folder / file), found);
    return found;
  };
  CHECK_FALSE(cgroup.has_controller("memory"));
  std::ofstream(folder / "cgroup.controllers") << "cpu memory pids\n";
  CHECK(cgroup.has_controller("memory"));
  CHECK_FALSE(cgroup.has_controller("mem"));
  CHECK_THROWS_AS(cgroup.pass_on("memory"), std::system_error);  // not ours to write
  std::ofstream(folder / "cgroup.subtree_control");
  cgroup.pass_on("memory");
  CHECK(text("cgroup.subtree_control") == "+memory");

  CHECK_THROWS_AS(cgroup.limit("memory.max", 4096), std::system_error);
  std::ofstream(folder / "memory.max");
  cgroup.limit("memory.max", 4096);
  CHECK(text("memory.max") == "4096");
}
