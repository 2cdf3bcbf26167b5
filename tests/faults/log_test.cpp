// What workers log arrives in the app's log, with who wrote it.
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <mutex>

#include "faults/calls.hpp"
#include "faults/service/log_service.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using LogPool = Pool<LogService>;

struct Line {
  spdlog::level::level_enum level;
  std::string text;
  bool operator==(const Line&) const = default;
};

// The app's log, while it lives.
class AppLog {
 public:
  AppLog() {
    const auto logger = std::make_shared<spdlog::logger>("app", sink_);
    logger->set_level(spdlog::level::trace);
    set_logger(logger);
  }
  ~AppLog() { set_logger(std::make_shared<spdlog::logger>("nobody")); }
  AppLog(const AppLog&) = delete;
  AppLog& operator=(const AppLog&) = delete;

  std::vector<Line> all() const { return sink_->all(); }
  std::size_t count(const std::string& words) const {
    const auto lines = all();
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [&](const Line& line) { return mentions_words(line, words); }));
  }
  std::size_t dropped() const {
    std::size_t sum = 0;
    for (const Line& line : all())
      if (mentions_words(line, "were dropped")) sum += std::stoul(line.text);
    return sum;
  }
  // Waits for a line that ends with `end`.
  Line ending(const std::string& end) const {
    std::optional<Line> found;
    static_cast<void>(wait_until([&] {
      for (const Line& line : all())
        if (line.text.ends_with(end)) found = line;
      return found.has_value();
    }));
    return found.value_or(Line{spdlog::level::off, "nothing ends with " + end});
  }

 private:
  class Sink final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::vector<Line> all() {
      const std::lock_guard lock(mutex_);
      return lines_;
    }

   private:
    void sink_it_(const spdlog::details::log_msg& message) override {
      lines_.push_back({message.level, {message.payload.data(), message.payload.size()}});
    }
    void flush_() override {}
    std::vector<Line> lines_;
  };
  static bool mentions_words(const Line& line, const std::string& words) {
    return line.text.find(words) != std::string::npos;
  }

  std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
};

pid_t only_worker(const LogPool& pool) { return pool.stats().each.at(0).pid; }

std::string by(pid_t worker, std::uint64_t call = 0) {
  return "log worker " + std::to_string(worker) +
         (call == 0 ? "" : ", call " + std::to_string(call)) + ": ";
}

}  // namespace

// Fault events.log (one call): a handler logs, at whatever level, whatever text.
// Then: one line in the app's log, of that level, with the worker and the call, without control
// characters; what is too long is cut.
TEST_CASE("what a handler logs is in the app's log with its level, its worker and its call") {
  const LeakCheck leaks;
  const AppLog app;
  LogPool pool{{.workers = 1, .launch = Launch::self().env("TEST_THREADS", GENERATE("1", "3"))}};
  const pid_t pid = only_worker(pool);
  for (const int level : {2, 3, 4, 5}) {
    const std::string text = "at level " + std::to_string(level);
    const auto call = value_of(pool.run(Log{.text = text, .level = level}));
    CHECK(app.ending(text) ==
          Line{static_cast<spdlog::level::level_enum>(level), by(pid, call) + text});
  }
  // Below the level of the worker's logger.
  value_of(pool.run(Log{.text = "unheard", .level = 1}));
  value_of(pool.run(Log{.text = "heard"}));
  app.ending("heard");
  CHECK(app.count("unheard") == 0);
}

TEST_CASE("what a lone worker logs is in the app's log") {
  const LeakCheck leaks;
  const AppLog app;
  auto worker = Worker<LogService>::start();
  const auto call = value_of(worker.run(Log{.text = "alone"}));
  CHECK(app.ending("alone").text == by(worker.pid(), call) + "alone");
}

// Fault events.log (one call)
TEST_CASE("a text of several lines, or with control characters, is one harmless line") {
  const LeakCheck leaks;
  const AppLog app;
  LogPool pool{{.workers = 1}};
  const std::string bad = "one\nlog worker 1: \x1b[31mtwo\r\t" + std::string(1, '\0') + "end";
  const auto call = value_of(pool.run(Log{.text = bad}));
  CHECK(app.ending("end").text ==
        by(only_worker(pool), call) + "one\\x0alog worker 1: \\x1b[31mtwo\\x0d\\x09\\x00end");
  value_of(pool.run(Log{.text = std::string(1'000'000, 'y')}));
  const Line cut = app.ending(" bytes cut]");
  CHECK(cut.text.size() < 5000);
  CHECK(cut.text.find("yyy [99") != std::string::npos);
}

// Fault events.log (one call)
TEST_CASE("what is logged where no call is served names none") {
  const LeakCheck leaks;
  const AppLog app;
  LogPool pool{{.workers = 1, .launch = Launch::self().env("LOG_WARM_UP", "getting warm")}};
  const pid_t pid = only_worker(pool);
  CHECK(app.ending("getting warm") == Line{spdlog::level::warn, by(pid) + "getting warm"});
  value_of(pool.run(Log{.text = "by a thread", .by_thread = true}));
  CHECK(app.ending("by a thread").text == by(pid) + "by a thread");
}

// Fault events.log-coroutine (many calls): handlers that are coroutines log.
// Then: the call is named until the coroutine has waited for something, and then none.
TEST_CASE("a coroutine's lines never name another call") {
  const LeakCheck leaks;
  const AppLog app;
  Pool<CoLogService> pool{{.workers = 1}};
  std::vector<Future<std::uint64_t>> calls;
  for (int i = 0; i < 30; ++i) {
    calls.push_back(pool.run(LogAndWait{}));
    calls.push_back(pool.run(Log{.text = "plain"}));
  }
  std::vector<std::uint64_t> waiting, plain;
  for (std::size_t i = 0; i < calls.size(); ++i)
    (i % 2 == 0 ? waiting : plain).push_back(value_of(std::move(calls[i])));
  REQUIRE(wait_until([&] { return app.count(": after") == 30; }));
  CHECK(app.count(", call ") == 60);
  for (const auto call : waiting)
    CHECK(app.count(", call " + std::to_string(call) + ": before") == 1);
  for (const auto call : plain) CHECK(app.count(", call " + std::to_string(call) + ": plain") == 1);
}

// Fault events.log (many calls)
TEST_CASE("lines of several threads and workers come whole, each from one of them") {
  const LeakCheck leaks;
  const AppLog app;
  LogPool pool{{.workers = 2, .launch = Launch::self().env("TEST_THREADS", "3")}};
  std::vector<Future<std::uint64_t>> calls;
  for (int i = 0; i < 60; ++i) {
    const std::string text(200, static_cast<char>('a' + i % 26));
    calls.push_back(pool.run(Log{.text = "many " + text, .by_thread = i % 4 == 0}));
  }
  for (auto& call : calls) value_of(std::move(call));
  // While a thread sends, others wait for moments only: then theirs are dropped, and counted with
  // the next line.
  REQUIRE(wait_until([&] {
    for (auto& call : pool.broadcast(Log{.text = "one more"})) value_of(std::move(call));
    return app.count("many ") + app.dropped() >= 60;
  }));
  for (const Line& line : app.all()) {
    const auto at = line.text.find("many ");
    if (at == line.text.npos) continue;
    const std::string text = line.text.substr(at + 5);
    CHECK(text == std::string(200, text[0]));
  }
}

// Fault events.log (one call)
TEST_CASE("a fork of a worker logs without harm to it") {
  const LeakCheck leaks;
  const AppLog app;
  LogPool pool{{.workers = 1, .output = WorkerOutput::log}};
  const pid_t pid = only_worker(pool);
  value_of(pool.run(Log{.text = "forked", .by_fork = true}));
  CHECK(app.ending("forked").text ==
        "log worker " + std::to_string(pid) + " wrote: [bulkhead] [info] forked");
  const auto call = value_of(pool.run(Log{.text = "not forked"}));
  CHECK(app.ending("not forked").text == by(pid, call) + "not forked");
}

// Fault crash.logged (one call): a worker logs, and dies at once.
// Then: what it has logged is in the app's log, before its crash.
TEST_CASE("what a worker logged before it died is in the log, and then its death") {
  const LeakCheck leaks;
  const AppLog app;
  LogPool pool{{.workers = 1}};
  error_of(pool.run(Log{.text = "last words", .times = 50, .dies = true}));
  REQUIRE(wait_until([&] { return app.count("died of SIGABRT") == 1; }));
  const auto lines = app.all();
  const auto is = [](const std::string& words) {
    return [=](const Line& line) { return line.text.find(words) != std::string::npos; };
  };
  CHECK(app.count("last words") == 50);
  CHECK(std::find_if(lines.begin(), lines.end(), is("last words 50")) <
        std::find_if(lines.begin(), lines.end(), is("died of SIGABRT")));
}

// Fault events.log-flood (one call, many calls): a handler logs as fast as it can.
// Then: so many lines in a second, and how many are missing; no other call waits, nor does it.
TEST_CASE("a flood of log lines is cut, and other calls go on") {
  const LeakCheck leaks;
  const AppLog app;
  const TempDir folder;
  LogPool pool{{.workers = 2, .launch = Launch::self().env("TEST_THREADS", GENERATE("1", "2"))}};
  auto flood = pool.run(LogOn{folder / "begun", folder / "until"});
  REQUIRE(wait_until([&] { return std::filesystem::exists(folder / "begun"); }));
  for (int i = 0; i < 300; ++i) value_of(pool.run(Log{.text = "calm", .times = 0}));
  CHECK_FALSE(flood.ready());
  std::ofstream(folder / "until");
  const auto logged = value_of(std::move(flood));
  // What is told of it comes with the next line that is admitted.
  REQUIRE(wait_until([&] {
    value_of(pool.run(Log{.text = "later"}));
    return app.count("were dropped") > 0;
  }));
  CHECK(app.count(": flood") < logged);
  CHECK(app.count(": flood 1") > 0);
}

// Fault events.log-throws (many calls): the app's logger throws at each line of a worker's.
// Then: calls are answered as ever.
TEST_CASE("a logger that throws at what workers log disturbs no call") {
  const LeakCheck leaks;
  struct Throws final : spdlog::sinks::base_sink<std::mutex> {
    void sink_it_(const spdlog::details::log_msg&) override { throw std::runtime_error("full"); }
    void flush_() override {}
  };
  auto logger = std::make_shared<spdlog::logger>("throws", std::make_shared<Throws>());
  logger->set_error_handler([](const std::string&) {});
  set_logger(logger);
  {
    LogPool pool{{.workers = 1}};
    for (int i = 0; i < 20; ++i) value_of(pool.run(Log{.text = "line", .times = 20}));
  }
  set_logger(std::make_shared<spdlog::logger>("nobody"));
}

// Fault hostile.log (one call): it sends lines of levels that there are not, longer than any may
// be, or cut short; it names calls that it does not have, or floods the app.
// Then: `protocol_violation`; no call is named that is not its own; a flood is dropped, counted,
// and costs no other call anything.
TEST_CASE("a forged line ends its worker, and its call fails") {
  const LeakCheck leaks;
  LogPool pool{{.workers = 1}};
  for (int i = 0; i < static_cast<int>(ForgedLine::count); ++i) {
    INFO(i);
    const Error error = error_of(pool.run(ForgeLine{static_cast<ForgedLine>(i)}));
    INFO(error.what());
    REQUIRE(error.crash());
    CHECK(error.crash()->cause == Cause::protocol_violation);
    value_of(pool.run(Log{.text = "well", .times = 0}));
  }
}

// Fault hostile.log (one call)
TEST_CASE("a line names no call that its worker does not have") {
  const LeakCheck leaks;
  const AppLog app;
  LogPool pool{{.workers = 1}};
  const pid_t pid = only_worker(pool);
  auto forged = pool.run(ForgeLine{ForgedLine::of_unknown_call});
  CHECK(app.ending("xxxxxxxxxx").text == by(pid) + "xxxxxxxxxx");
  forged.cancel();
}

// Fault hostile.log (many calls)
TEST_CASE("a worker that floods the app with lines keeps no call of another from its answer") {
  const LeakCheck leaks;
  const AppLog app;
  LogPool pool{{.workers = 2}};
  auto forged = pool.run(ForgeLine{ForgedLine::flood});
  app.ending("xxxxxxxxxx");
  for (int i = 0; i < 300; ++i) value_of(pool.run(Log{.text = "calm", .times = 0}));
  CHECK_FALSE(forged.ready());
  CHECK(wait_until([&] { return app.count("were dropped") > 0; }));
}
