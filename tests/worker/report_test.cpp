// The sentences about processes that ended.
#include "worker/report.hpp"

#include <catch2/catch.hpp>
#include <csignal>

namespace {

using namespace bulkhead;
using Ending = platform::Ending;
using How = Ending::How;
using namespace std::chrono_literals;
using namespace std::string_literals;

CrashReport report(Cause cause, ExitStatus status = {}, std::string stderr_tail = {}) {
  return {.pid = 4711,
          .service = "thumbnailer",
          .cause = cause,
          .status = status,
          .running = {},
          .stderr_tail = std::move(stderr_tail)};
}

std::shared_ptr<const CrashReport> shared(const CrashReport& report) {
  return std::make_shared<const CrashReport>(report);
}

constexpr ExitStatus exited_3{.code = 3}, killed{.signal = SIGKILL}, segv{.signal = SIGSEGV};

}  // namespace

TEST_CASE("The kernel's word on an ending becomes a cause and a status") {
  struct Row {
    Ending ending;
    Cause cause;
    ExitStatus status;
  };
  const auto row = GENERATE(values<Row>({
      {{.how = How::exited, .status = 0}, Cause::exited, {.code = 0}},
      {{.how = How::exited, .status = 9}, Cause::exited, {.code = 9}},  // which is not SIGKILL
      {{.how = How::killed, .status = SIGKILL}, Cause::signaled, {.signal = SIGKILL}},
      {{.how = How::dumped, .status = SIGSEGV},
       Cause::signaled,
       {.signal = SIGSEGV, .core_dumped = true}},
      {{.how = How::unknown, .status = 9}, Cause::unknown, {}},
  }));
  CHECK(worker::cause_of(row.ending) == row.cause);
  CHECK(worker::status_of(row.ending) == row.status);
}

TEST_CASE("A worker is out of memory only where the kernel says so, and killed it") {
  const auto says = [](std::int64_t oom_kills, How how = How::killed, int status = SIGKILL) {
    Ending ending{.how = how, .status = status};
    ending.oom_kills = oom_kills;
    return ending;
  };
  CHECK(worker::out_of_memory(says(1), {}, {}));
  CHECK(worker::out_of_memory(says(-1), 7, 8));
  CHECK_FALSE(worker::out_of_memory(says(0), 7, 8));  // others were, but none of its cgroup
  CHECK_FALSE(worker::out_of_memory(says(-1), 7, 7));
  CHECK_FALSE(worker::out_of_memory(says(-1), {}, 8));
  CHECK_FALSE(worker::out_of_memory(says(-1), 7, {}));
  CHECK_FALSE(worker::out_of_memory(says(1, How::killed, SIGSEGV), 7, 8));
  CHECK_FALSE(worker::out_of_memory(says(1, How::exited, SIGKILL), 7, 8));
}

TEST_CASE("A report says how a worker ended, and the first cause above its consequence") {
  struct Row {
    Cause cause;
    ExitStatus status;
    std::string violation, expected;
  };
  const auto row = GENERATE(values<Row>({
      {Cause::exited, {.code = 0}, "", "exited with code 0"},
      {Cause::exited, exited_3, "", "exited with code 3"},
      {Cause::signaled, segv, "", "died of SIGSEGV"},
      {Cause::signaled,
       {.signal = SIGABRT, .core_dumped = true},
       "",
       "died of SIGABRT, and dumped its core,"},
      {Cause::signaled, {.signal = 64}, "", "died of signal 64"},
      {Cause::unknown, {}, "", "ended, and how is not known"},
      {Cause::deadline, killed, "", "was killed for passing a deadline"},
      {Cause::cancelled, killed, "", "was killed for not stopping when it was asked to"},
      {Cause::connect_timeout, killed, "", "was killed for not being ready in time"},
      {Cause::shut_down, killed, "", "was shut down"},
      {Cause::fork_server_lost, killed, "", "died with its fork server"},
      {Cause::protocol_violation, killed, "", "was killed for breaking the protocol"},
      {Cause::protocol_violation, killed, "it answered a call that it did not have",
       "was killed for breaking the protocol (it answered a call that it did not have)"},
      {Cause::protocol_violation, {}, "", "was killed for breaking the protocol"},
      {Cause::deadline, exited_3, "", "was killed for passing a deadline"},
  }));
  CHECK(worker::how_it_ended(report(row.cause, row.status), row.violation) == row.expected);
}

TEST_CASE("A worker that was past a limit is told of with which") {
  CrashReport crash = report(Cause::limit, {.signal = SIGXCPU});
  crash.limit = "cpu";
  CHECK(worker::how_it_ended(crash) == "was ended at a limit (Sandbox::cpu)");
}

TEST_CASE("The last words of a worker are the last line that it wrote, cut and harmless") {
  struct Row {
    std::string tail, expected;
  };
  const auto row = GENERATE(values<Row>({
      {"", ""},
      {"\n\n", ""},
      {"  \n \n", ""},
      {"cannot open cat.jpg", "; its last words: cannot open cat.jpg"},
      {"cannot open cat.jpg\n\n", "; its last words: cannot open cat.jpg"},
      {"first\nsecond\n", "; its last words: second"},
      {"\x1b[2J\x07red\n", "; its last words: \\x1b[2J\\x07red"},
      {"a\0b\rc"s, "; its last words: a\\x00b\\x0dc"},
      {std::string(300, 'x'), "; its last words: " + std::string(300, 'x')},
      {std::string(64 * 1024, 'x'), "; its last words: " + std::string(300, 'x')},
      {std::string(300, '\x1b'), "; its last words: " +
                                     [] {
                                       std::string escaped;
                                       for (int i = 0; i < 300; ++i) escaped += "\\x1b";
                                       return escaped;
                                     }()},
  }));
  CHECK(worker::last_words(report(Cause::exited, exited_3, row.tail)) == row.expected);
}

TEST_CASE("The error of a call reads as the manual shows it, and carries the report") {
  const auto crash = shared(report(Cause::signaled, segv, "Segmentation fault\n"));
  const RunningCall call{.request = "Thumbnail", .id = 17, .attempt = 1, .age = 12ms};
  const Error error = worker::crash_error(crash, &call);
  CHECK(error.code() == errc::worker_crashed);
  CHECK(
      error.what() ==
      "thumbnailer worker 4711 died of SIGSEGV while it ran Thumbnail (call 17, 12 ms, attempt 1)"s);
  CHECK(error.crash() == crash.get());
  CHECK_FALSE(error.system());
}

TEST_CASE("The error of a worker that ran nothing says no more than how it ended") {
  const auto crash = shared(report(Cause::protocol_violation, killed));
  const Error error = worker::crash_error(crash, nullptr, "it answered twice");
  CHECK(error.code() == errc::worker_crashed);
  CHECK(error.what() ==
        "thumbnailer worker 4711 was killed for breaking the protocol (it answered twice)"s);
}

TEST_CASE("A worker that ended before it was ready is told of with its last words") {
  const Error error =
      worker::start_error(shared(report(Cause::exited, exited_3, "no such model\n")));
  CHECK(error.code() == errc::start_failed);
  CHECK(
      error.what() ==
      "thumbnailer worker 4711 exited with code 3 before it was ready; its last words: no such model"s);
  REQUIRE(error.crash());
  CHECK(error.crash()->stderr_tail == "no such model\n");
}

TEST_CASE("A worker that was not ready in time is told of as that") {
  const Error error = worker::start_error(shared(report(Cause::connect_timeout, killed)));
  CHECK(error.code() == errc::connect_timeout);
  CHECK(error.what() == "thumbnailer worker 4711 was killed for not being ready in time"s);
}
