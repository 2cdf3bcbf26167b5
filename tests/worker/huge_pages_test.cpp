// What a fork server's environment says about huge pages, and what is left of it for others.
#include "worker/huge_pages.hpp"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <optional>

#include "support/in_child.hpp"

namespace {

using namespace bulkhead;
using Environment = std::vector<std::string>;

Environment asked(Environment environment) {
  worker::ask_for_huge_pages(environment);
  return environment;
}

// GLIBC_TUNABLES in a program that was started with this.
std::optional<std::string> left_of(const Environment& environment) {
  ::clearenv();
  for (const std::string& entry : environment) {
    const auto equals = entry.find('=');
    ::setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
  }
  worker::forget_huge_pages();
  test::expect(::getenv("BULKHEAD_HUGE_PAGES") == nullptr);
  const char* const value = ::getenv("GLIBC_TUNABLES");
  return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

TEST_CASE("A program is asked to use huge pages") {
  CHECK(asked({"HOME=/"}) ==
        Environment{"HOME=/", "GLIBC_TUNABLES=glibc.malloc.hugetlb=1", "BULKHEAD_HUGE_PAGES=1"});
}

TEST_CASE("The user's own tunables stay beside the wish for huge pages") {
  CHECK(asked({"GLIBC_TUNABLES=glibc.malloc.check=1", "HOME=/"}) ==
        Environment{"GLIBC_TUNABLES=glibc.malloc.check=1:glibc.malloc.hugetlb=1", "HOME=/",
                    "BULKHEAD_HUGE_PAGES=1"});
}

TEST_CASE("Who says what is to be done about huge pages is obeyed") {
  for (const char* own : {"GLIBC_TUNABLES=glibc.malloc.hugetlb=0",
                          "GLIBC_TUNABLES=glibc.malloc.hugetlb=2:glibc.malloc.check=1"})
    CHECK(asked({own}) == Environment{own});
}

TEST_CASE("A program's environment is what it was without the wish for huge pages") {
  CHECK(test::in_child([] {
          const std::string own = "GLIBC_TUNABLES=";
          test::expect(!left_of(asked({"HOME=/"})));
          for (const std::string tunables : {"glibc.malloc.check=1", "glibc.malloc.hugetlb=1",
                                             "glibc.malloc.hugetlb=0:glibc.malloc.check=1"})
            test::expect(left_of(asked({own + tunables})) == tunables);
          test::expect(left_of({own + "glibc.malloc.check=1", "BULKHEAD_HUGE_PAGES=1"}) ==
                       "glibc.malloc.check=1");
        }) == 0);
}
