#include "worker/crash_stack.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "platform/proc.hpp"

using namespace bulkhead;
using bulkhead::platform::Frame;
using bulkhead::worker::CrashStack;
using Lines = std::vector<std::string>;

namespace {

Lines lines_of(std::vector<Frame> frames, const platform::Modules& trusted = {}) {
  CrashStack stack(std::move(frames), std::make_shared<platform::Modules>(trusted));
  return stack.explain({}).stack;
}

}  // namespace

TEST_CASE("code of a file that nobody vouches for is told by its module and address") {
  CHECK(lines_of({{.pc = 0x1234, .base = 0x1000, .device = 1, .inode = 2, .name = {"plugin.so"}},
                  {.pc = 0xabc}}) == Lines{"plugin.so+0x234", "0xabc"});
}

TEST_CASE("a name of a module can do nothing to a terminal, or beyond its end") {
  Frame frame{.pc = 1};
  frame.name.fill('\033');
  const Lines lines = lines_of({frame});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find('\033') == std::string::npos);
  CHECK(lines[0].ends_with("+0x1"));
}

TEST_CASE("frames of any addresses are looked up in trusted files without harm") {
  std::mt19937_64 random(7);
  const platform::Modules own = platform::modules_of(platform::own_pid());
  REQUIRE_FALSE(own.empty());
  for (int i = 0; i < 20; ++i) {
    std::vector<Frame> frames;
    for (int k = 0; k < 64; ++k) {
      const auto& module = own[random() % own.size()];
      const std::uint64_t pc = random() % 2 == 0 ? random() : random() % 0x10'0000;
      frames.push_back({.pc = pc,
                        .base = random() % 2 * random(),
                        .device = module.device,
                        .inode = module.inode});
    }
    CHECK(lines_of(std::move(frames), own).size() == 64);
  }
}

TEST_CASE("a report without a stack is explained as it is") {
  const CrashReport report{.pid = 42};
  CHECK(&detail::Reports::explained(report) == &report);
}

TEST_CASE("an explained report is a value of its own") {
  CrashReport report{.pid = 42};
  report.raw_stack = std::make_shared<CrashStack>(std::vector<Frame>{{.pc = 1}}, nullptr);
  const CrashReport copy = detail::Reports::explained(report);
  CHECK(copy.pid == 42);
  CHECK(copy.stack == Lines{"0x1"});
  CHECK_FALSE(copy.raw_stack);
  CHECK(report.stack.empty());
}
