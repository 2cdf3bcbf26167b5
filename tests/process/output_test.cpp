#include "process/output.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "process/spawn.hpp"
#include "support/leak_check.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::process;
using namespace bulkhead::test;
namespace platform = bulkhead::platform;
using Lines = std::vector<std::string>;

namespace {

OnLine append_to(Lines& lines) {
  return [&lines](std::string_view line) { lines.emplace_back(line); };
}

}  // namespace

TEST_CASE("lines come out whole however they were written") {
  Lines lines;
  LineSplitter splitter(append_to(lines));
  for (const char* chunk : {"on", "e\ntwo\n\nthr", "", "ee\n", "rest"}) splitter.write(chunk);
  CHECK(lines == Lines{"one", "two", "", "three"});
  splitter.finish();
  CHECK(lines.back() == "rest");
  splitter.finish();
  CHECK(lines.size() == 5);
}

TEST_CASE("a line without an end is cut, and says by how much") {
  Lines lines;
  LineSplitter splitter(append_to(lines), 4);
  splitter.write("1234\n12345\n123");
  splitter.write("456\nok\n");
  splitter.write("endless");
  splitter.finish();
  CHECK(lines ==
        Lines{"1234", "1234 [1 bytes cut]", "1234 [2 bytes cut]", "ok", "endl [3 bytes cut]"});
}

TEST_CASE("the tail is the last of what was written") {
  OutputTail tail(4);
  CHECK(tail.text().empty());
  tail.write("ab");
  CHECK(tail.text() == "ab");
  CHECK(tail.dropped() == 0);
  for (int i = 0; i < 1000; ++i) tail.write("xyz");
  CHECK(tail.text() == "zxyz");
  CHECK(tail.dropped() == 2998);
  tail.write("a long one");
  CHECK(tail.text() == " one");
}

TEST_CASE("what a process leaves in its pipe is received though a grandchild holds the pipe open") {
  const LeakCheck leaks;
  platform::Pipe pipe = platform::make_pipe();
  platform::Pipe holder = platform::make_pipe();
  Lines lines;
  Output output(std::move(pipe.read), append_to(lines));
  const Child child = spawn({.path = "/bin/sh",
                             .arguments = {"sh", "-c", "read end <&3 & printf 'last\\nwords'"},
                             .descriptors = {{pipe.write.get(), 1}, {holder.read.get(), 3}}});
  pipe.write.reset();
  holder.read.reset();
  child.pidfd.reap(true);
  output.finish();
  CHECK(lines == Lines{"last", "words"});
  CHECK(output.tail() == "last\nwords");
  CHECK(output.drain() == platform::Io::end);
}

// Fault value.flood
TEST_CASE("a flood of output costs bounded memory and time for each turn") {
  const LeakCheck leaks;
  constexpr std::uint64_t flood = 200'000'000;
  platform::Pipe pipe = platform::make_pipe();
  std::uint64_t lines = 0;
  Output output(std::move(pipe.read), [&](std::string_view) { ++lines; });
  const Child child = spawn({.path = "/usr/bin/head",
                             .arguments = {"head", "-c", std::to_string(flood), "/dev/zero"},
                             .descriptors = {{pipe.write.get(), 1}}});
  pipe.write.reset();
  for (auto io = output.drain(); io != platform::Io::end; io = output.drain())
    if (io == platform::Io::would_block)
      platform::wait_ready(output.fd(), platform::Readiness::readable, default_watchdog);
  child.pidfd.reap(true);
  output.finish();
  CHECK(lines == 1);
  CHECK(output.tail().size() == OutputTail::default_limit);
}

// Fault hostile.words
TEST_CASE("text of a hostile process cannot steer a terminal or forge a line") {
  CHECK(printable("plain \xc3\xa4") == "plain \xc3\xa4");
  CHECK(printable("a\x1b[31m\nERROR\t\x7f") == "a\\x1b[31m\\x0aERROR\\x09\\x7f");
}
