// What is refused or corrected before any process is started, and errors as values.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <functional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <type_traits>

#include "bulkhead/bulkhead.hpp"
#include "support/in_child.hpp"
#include "worker/launch.hpp"

namespace {

using namespace bulkhead;
using namespace std::chrono_literals;
using Catch::Contains;

struct Probe {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};
struct Prober : Service<"prober", Probe> {};

// What a try to start it would fail with, if it came to that.
const Launch no_program = Launch::executable("/nonexistent/program");

constexpr const char* variable = "BULKHEAD_CONNECT_TIMEOUT";

// The library's log, as long as this lives.
class Log {
 public:
  Log() {
    set_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  ~Log() { set_logger(nullptr); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
};

std::chrono::milliseconds timeout_with(const char* value) {
  ::setenv(variable, value, 1);
  const auto timeout = worker::connect_timeout(1234ms);
  ::unsetenv(variable);
  return timeout;
}

}  // namespace

TEST_CASE("a launch that cannot be is refused when it is made, by name") {
  const std::string zero(1, '\0');
  CHECK_THROWS_WITH(Launch::executable(""), Contains("Launch::executable"));
  CHECK_THROWS_WITH(Launch::executable("a" + zero), Contains("Launch::executable"));
  CHECK_THROWS_WITH(Launch::module(""), Contains("Launch::module"));
  CHECK_THROWS_WITH(Launch::self().working_directory(""), Contains("Launch::working_directory"));
  CHECK_THROWS_WITH(Launch::self().arg("a" + zero), Contains("Launch::arg"));
  CHECK_THROWS_WITH(Launch::self().args({"a", zero}), Contains("Launch::arg"));
  for (const std::string& name : {std::string(), std::string("A=B"), zero})
    CHECK_THROWS_WITH(Launch::self().env(name, "value"), Contains("Launch::env"));
  CHECK_THROWS_WITH(Launch::self().env("NAME", zero), Contains("Launch::env"));
  CHECK_THROWS_AS(Launch::executable(""), std::invalid_argument);
}

TEST_CASE("A pool with options that make no sense is refused by the name of the field") {
  struct Row {
    const char* field;
    std::function<void(PoolOptions&)> change;
  };
  static const std::vector<Row> rows = {
      {"workers", [](PoolOptions& options) { options.workers = 0; }},
      {"connect_timeout", [](PoolOptions& options) { options.connect_timeout = -1ms; }},
      {"connect_timeout",
       [](PoolOptions& options) { options.connect_timeout = std::chrono::milliseconds::min(); }},
      {"spares", [](PoolOptions& options) { options.spares = SIZE_MAX; }},
      {"spares",
       [](PoolOptions& options) {
         options.workers = 4000;
         options.spares = 97;
       }},
      {"queue_wait", [](PoolOptions& options) { options.queue_wait = -1ms; }},
      {"max_attempts", [](PoolOptions& options) { options.max_attempts = 0; }},
      {"restart.period", [](PoolOptions& options) { options.restart.period = -1ms; }},
      {"max_message", [](PoolOptions& options) { options.max_message = 0; }},
  };
  for (const Row& row : rows) {
    INFO(row.field);
    PoolOptions options{.launch = no_program};
    row.change(options);
    // Any attempt to start something would be an Error.
    CHECK_THROWS_AS(Pool<Prober>(options), std::invalid_argument);
    CHECK_THROWS_WITH(Pool<Prober>(options), Contains(row.field));
  }
}

TEST_CASE("A worker with options that make no sense is refused by the name of the field") {
  const WorkerOptions options{.launch = no_program, .connect_timeout = -1ms};
  CHECK_THROWS_AS(Worker<Prober>::start(options), std::invalid_argument);
  CHECK_THROWS_WITH(Worker<Prober>::start(options), Contains("connect_timeout"));
}

TEST_CASE("BULKHEAD_CONNECT_TIMEOUT counts in seconds") {
  const Log log;
  CHECK(timeout_with("1") == 1s);
  CHECK(timeout_with("3") == 3s);
  CHECK(timeout_with("86400") == 24h);
  CHECK(log.text() == "");
}

TEST_CASE("BULKHEAD_CONNECT_TIMEOUT unset, empty or 0 leaves what the application asked for") {
  const Log log;
  ::unsetenv(variable);
  CHECK(worker::connect_timeout(1234ms) == 1234ms);
  CHECK(timeout_with("") == 1234ms);
  CHECK(timeout_with("0") == 1234ms);
  CHECK(log.text() == "");
}

TEST_CASE("A BULKHEAD_CONNECT_TIMEOUT that makes no sense is logged and ignored") {
  const auto value = GENERATE(as<const char*>(), "-1", "1.5", "abc", "3s", " 3", "3 ", "+3", "0x10",
                              "99999999999999999999", "00");
  const Log log;
  CHECK(timeout_with(value) == 1234ms);
  CHECK_THAT(log.text(),
             Contains(variable) && Contains('"' + std::string(value) + '"') && Contains("warning"));
}

TEST_CASE("Each errc is an error code with a sentence of its own") {
  std::set<std::string> sentences;
  for (int value = int(errc::start_failed); value <= int(errc::channel_closed); ++value) {
    const std::error_code code = static_cast<errc>(value);
    CAPTURE(value, code.message());
    CHECK(code.category().name() == std::string("bulkhead"));
    CHECK(code.value() == value);
    CHECK(code == make_error_code(static_cast<errc>(value)));
    CHECK(code.message() != "unknown error");
    CHECK(sentences.insert(code.message()).second);
  }
  CHECK(make_error_code(errc{0}).message() == "unknown error");
  CHECK(make_error_code(errc{9999}).message() == "unknown error");
}

TEST_CASE("An error is a value that says what it was told to") {
  static_assert(std::is_nothrow_copy_constructible_v<Error>);
  static_assert(std::is_nothrow_copy_assignable_v<Error>);
  static_assert(std::is_nothrow_move_constructible_v<Error>);
  static_assert(std::is_base_of_v<std::system_error, Error>);
  const auto crash = std::make_shared<CrashReport>();
  crash->pid = 4711;
  const std::error_code system = std::make_error_code(std::errc::no_such_file_or_directory);

  std::optional<Error> first(std::in_place, errc::start_failed, "it could not be found", system,
                             crash);
  const Error copy = *first;
  first.reset();
  CHECK(copy.code() == errc::start_failed);
  CHECK(copy.what() == std::string("it could not be found"));
  CHECK(copy.system() == std::errc::no_such_file_or_directory);
  REQUIRE(copy.crash());
  CHECK(copy.crash()->pid == 4711);

  const Error plain(errc::shut_down, "");
  CHECK(plain.what() == std::string());
  CHECK(plain.crash() == nullptr);
  CHECK_FALSE(plain.system());
}

// what() asks nothing of the exception that it is called on.
TEST_CASE("An error that was moved from can still be asked what it is") {
  CHECK(test::in_child([] {
          Error from(errc::shut_down, "the workers were shut down");
          const Error to = std::move(from);
          test::expect(from.what() != nullptr);  // NOLINT(bugprone-use-after-move)
          test::expect(to.what() == std::string("the workers were shut down"));
        }) == 0);
}
