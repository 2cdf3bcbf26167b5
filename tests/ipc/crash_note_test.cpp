#include "ipc/crash_note.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <random>

using namespace bulkhead::ipc;
using bulkhead::platform::Frame;

TEST_CASE("a crash is read as it was noted") {
  CrashNote shared{};
  CHECK_FALSE(read_note(shared));
  begin_note(shared, SIGBUS);
  REQUIRE(read_note(shared));
  CHECK(read_note(shared)->frames.empty());
  CHECK(add_to_note(shared, {.pc = 7, .base = 5, .device = 3, .inode = 2, .name = {"here"}}));
  const auto crash = read_note(shared);
  REQUIRE(crash);
  CHECK(crash->signal == SIGBUS);
  REQUIRE(crash->frames.size() == 1);
  const Frame& frame = crash->frames[0];
  CHECK(frame.pc == 7);
  CHECK(frame.base == 5);
  CHECK(frame.device == 3);
  CHECK(frame.inode == 2);
  CHECK(std::strcmp(frame.name.data(), "here") == 0);
}

TEST_CASE("a worker that is about to end says so last, with what it used") {
  CrashNote shared{};
  begin_note(shared, SIGBUS);
  CHECK_FALSE(says_end(shared));
  rusage usage{};
  usage.ru_maxrss = 1234;
  end_note(shared, usage);
  CHECK(says_end(shared));
  CHECK(read_note(shared)->usage.ru_maxrss == 1234);
}

TEST_CASE("a stack that is deeper than a note has room for is cut") {
  CrashNote shared{};
  begin_note(shared, SIGSEGV);
  for (std::size_t i = 1; i < CrashNote::most_frames; ++i) CHECK(add_to_note(shared, {.pc = i}));
  CHECK_FALSE(add_to_note(shared, {.pc = 1}));
  CHECK_FALSE(add_to_note(shared, {.pc = 1}));
  CHECK(read_note(shared)->frames.size() == CrashNote::most_frames);
}

TEST_CASE("a note in which anything stands is read without harm") {
  constexpr int rounds = 1'000'000;
  std::mt19937_64 random(20'260);
  CrashNote shared{};
  auto* const words = reinterpret_cast<std::uint64_t*>(&shared);
  int read = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::uint64_t draw = random();
    words[draw % (sizeof shared / sizeof *words)] = random();
    shared.signal = draw % 4 == 0 ? random() : draw % 100;
    shared.frame_count = draw % 8 == 0 ? random() : draw % 70;
    const auto crash = read_note(shared);
    if (!crash) continue;
    ++read;
    if (crash->signal < 1 || crash->signal > 64 || crash->frames.size() > CrashNote::most_frames)
      FAIL("in round " << i);
  }
  CHECK(read > 0);
}
