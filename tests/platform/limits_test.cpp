// Limits that a process sets for itself, each in a child, which they end with.
#include "platform/limits.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <system_error>

#include "platform/unsanitized.hpp"
#include "support/in_child.hpp"

using namespace bulkhead::platform;
using namespace bulkhead::test;

namespace {

bool can_map(std::size_t bytes) {
  return ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

rlimit limit_of(__rlimit_resource resource) {
  rlimit found{};
  ::getrlimit(resource, &found);
  return found;
}

}  // namespace

TEST_CASE("memory is limited to what a process has, and so much more") {
  CHECK(in_child([] {
          limit(Resource::memory, 64 << 20);
          expect(can_map(32 << 20));
          expect(!can_map(64 << 20));
        }) == 0);
}

TEST_CASE("open files are limited to those that a process has, some, and so many more") {
  CHECK(in_child([] {
          for (int i = 0; i < 100; ++i) ::dup(0);
          limit(Resource::open_files, 10);
          int more = 0;
          while (::dup(0) >= 0) ++more;
          expect(more >= 10 && more < 60, std::to_string(more));
        }) == 0);
}

TEST_CASE("CPU time ends with a signal of its own, and a second later for certain") {
  CHECK(in_child([] {
          limit(Resource::cpu, 7);
          expect(limit_of(RLIMIT_CPU).rlim_cur == 7 && limit_of(RLIMIT_CPU).rlim_max == 8);
        }) == 0);
}

TEST_CASE("a limit is never more than what is allowed already") {
  CHECK(in_child([] {
          limit(Resource::file_size, 1000);
          limit(Resource::file_size, 2000);
          expect(limit_of(RLIMIT_FSIZE).rlim_cur == 1000);
          limit(Resource::memory, RLIM_INFINITY);
          limit(Resource::core, RLIM_INFINITY - 1);
        }) == 0);
}

TEST_CASE("a limit of processes holds for users, and not for root") {
  if (BULKHEAD_SANITIZED) return;  // which cannot report as another user
  CHECK(in_child([] {
          if (::getuid() != 0) return;
          expect(::setresuid(65534, 65534, 65534) == 0);
          expect(limit_holds(Resource::processes, 100));
        }) == 0);
  CHECK(in_child([] {
          if (::getuid() == 0) expect(!limit_holds(Resource::processes, 100));
        }) == 0);
}

TEST_CASE("limits that the kernel enforces hold") {
  for (const Resource resource :
       {Resource::memory, Resource::cpu, Resource::open_files, Resource::file_size, Resource::core})
    CHECK(in_child([&] { expect(limit_holds(resource, 64 << 20), limit_name(resource)); }) == 0);
}
