#include "nth/scenario.hpp"

#include <bulkhead/bulkhead.hpp>
#include <cstring>
#include <functional>
#include <future>
#include <new>
#include <stdexcept>
#include <system_error>

#include "nth/failing.hpp"
#include "support/leftovers.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::nth {

namespace {

using namespace std::chrono_literals;

struct Double {
  using Response = int;
  int number = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number);
  }
};
struct EchoText {
  using Response = std::string;
  static constexpr bool idempotent = true;
  std::string text = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text);
  }
};
struct EchoBytes {
  using Response = Bytes;
  Bytes bytes = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bytes);
  }
};
struct Count {
  using Response = int;
  using Progress = int;
  int upto = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(upto);
  }
};
// Sends back what comes.
struct PassOn {
  using Response = int;
  Receiver<std::string> in = {};
  Sender<std::string> out = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(in, out);
  }
};
// Until it is asked to stop.
struct Wait {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};
struct Die {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};
// Tried again, and again in vain.
struct DieAgain {
  using Response = void;
  static constexpr bool idempotent = true;
  template <class Archive>
  void serialize(Archive&) {}
};
struct Played : Service<"nth", Double, EchoText, EchoBytes, Count, PassOn, Wait, Die, DieAgain> {};

struct Wrong : std::logic_error {
  using std::logic_error::logic_error;
};

void require(bool right, const char* what) {
  if (!right) throw Wrong(what);
}

int count(const Count& request, Context& context) {
  for (int i = 1; i <= request.upto; ++i) context.progress(i);
  return request.upto;
}

int pass_on(PassOn request) {
  int passed = 0;
  for (const std::string& text : request.in) {
    request.out.send(text);
    ++passed;
  }
  return passed;
}

void wait(const Wait&, Context& context) {
  require(test::wait_until([&] { return context.stop_requested(); }), "nobody asks it to stop");
}

// ------------------------------------------------------------ the app

constexpr std::size_t large = 300'000;  // goes beside the messages

PoolOptions options() {
  return {.workers = 2,
          .launch = Launch::self().env("NTH_PROCESS", "fork_server"),
          .connect_timeout = 3s,
          .restart = {.count = 20}};
}

using PlayedPool = Pool<Played>;

void call_plainly(PlayedPool& pool) {
  std::vector<Future<int>> doubled;
  for (int i = 0; i < 5; ++i) doubled.push_back(pool.run(Double{i}));
  for (int i = 0; i < 5; ++i)
    require(doubled[static_cast<unsigned>(i)].get() == 2 * i, "a wrong answer");
}

void send_text(PlayedPool& pool) {
  for (const std::size_t size : {large, large / 4}) {
    const std::string text(size, 'x');
    require(pool.run(EchoText{text}).get() == text, "another text");
  }
}

void send_bytes(PlayedPool& pool) {
  MutableBytes bytes = pool.make_bytes(large);
  std::memset(bytes.data(), 'x', bytes.size());
  const Bytes sent = std::move(bytes);
  const Bytes back = pool.run(EchoBytes{sent}).get();
  require(back.size() == large && std::memcmp(back.data(), sent.data(), large) == 0, "other bytes");
}

void hear_progress(PlayedPool& pool) {
  std::atomic<int> last = 0;
  auto call = pool.run(Count{5}, {}, [&last](int value) { last = value; });
  require(call.get() == 5, "another count");
  require(last <= 5, "a value that was not told");  // one that there is no memory for is logged
}

// What a handler throws ends its streams, and its call tells why.
void end_early(Future<int> call) {
  call.get();
  throw Wrong("a stream has ended that nobody has ended");
}

void use_channels(PlayedPool& pool) {
  auto [to_worker, in] = channel<std::string>(4);
  auto [out, from_worker] = channel<std::string>(4);
  auto call = pool.run(PassOn{std::move(in), std::move(out)});
  for (int i = 0; i < 3; ++i) {
    const std::string item(10'000, 'x');
    to_worker.send(item);
    const auto back = from_worker.receive();
    if (!back) return end_early(std::move(call));
    require(*back == item, "another item");
  }
  to_worker.close();
  require(!from_worker.receive(), "more than was sent");
  require(call.get() == 3, "another count of items");
}

// Its handler runs on the library's thread, and makes another call.
void call_back(PlayedPool& pool) {
  struct Told {
    std::promise<int> answer;
    void take(const std::exception_ptr& error, int value) {
      error ? answer.set_exception(error) : answer.set_value(value);
    }
  };
  const auto told = std::make_shared<Told>();
  pool.async_run(Double{1}, {}, [&pool, told](std::exception_ptr error, int value) {
    if (error) return told->take(error, value);
    pool.async_run(Double{value}, {}, [told](std::exception_ptr second_error, int second) {
      told->take(second_error, second);
    });
  });
  auto answer = told->answer.get_future();
  require(answer.wait_for(test::default_watchdog) == std::future_status::ready,
          "a handler was never called");
  require(answer.get() == 4, "a wrong answer");
}

void reload(PlayedPool& pool) {
  pool.reload();
  call_plainly(pool);
}

void pass_deadline(PlayedPool& pool) {
  try {
    pool.run(Wait{}, {.timeout = 5ms}).get();
    throw Wrong("what never ends has ended");
  } catch (const Error& error) {
    if (error.code() != errc::deadline_exceeded) throw;
  }
}

template <class Deadly>
void lose_worker(PlayedPool& pool) {
  std::vector<Future<int>> beside;
  for (int i = 0; i < 5; ++i) beside.push_back(pool.run(Double{i}));
  try {
    pool.run(Deadly{}).get();
    throw Wrong("what died has answered");
  } catch (const Error& error) {
    if (error.code() != errc::worker_crashed) throw;
    require(error.crash() != nullptr, "a crash without a report");
  }
}

// ------------------------------------------------------------ what may happen

class Findings {
 public:
  // An error is as good as success, if it is one of those that are promised and says something.
  void play(const std::string& step, const std::function<void()>& part) {
    try {
      part();
    } catch (const std::bad_alloc&) {
    } catch (const Error& error) {
      if (std::strlen(error.what()) == 0) add(step, "an error without words");
    } catch (const std::system_error& error) {
      if (std::strlen(error.what()) == 0) add(step, "an error without words");
    } catch (const std::exception& error) {
      add(step, error.what());
    }
  }
  void must(const std::string& step, const std::function<void()>& part) {
    try {
      part();
    } catch (const std::exception& error) {
      add(step, error.what());
    }
  }
  void add(const std::string& step, const std::string& what) {
    lines_.push_back(step + ": " + what);
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

void play_all(Findings& findings) {
  findings.play("pool", [&] {
    PlayedPool pool(options());
    const auto with_pool = [&](const char* step, void (*part)(PlayedPool&)) {
      findings.play(step, [&] { part(pool); });
    };
    with_pool("calls", call_plainly);
    with_pool("text", send_text);
    with_pool("bytes", send_bytes);
    with_pool("progress", hear_progress);
    with_pool("channels", use_channels);
    with_pool("deadline", pass_deadline);
    with_pool("crash", lose_worker<Die>);
    with_pool("calls after a crash", call_plainly);
    with_pool("callbacks", call_back);
    with_pool("crashes of each attempt", lose_worker<DieAgain>);
    with_pool("reload", reload);
    findings.play("shutdown", [&] { pool.shutdown(1s); });
  });
}

}  // namespace

void serve_if_worker() {
  bulkhead::serve_if_worker<Played>(
      [](const Double& r) { return 2 * r.number; }, [](EchoText r) { return std::move(r.text); },
      [](EchoBytes r) { return std::move(r.bytes); }, count, pass_on, wait,
      [](const Die&) { std::abort(); }, [](const DieAgain&) { std::abort(); });
}

std::vector<std::string> play() {
  Findings findings;
  const test::Leftovers leftovers;
  arm("app");
  play_all(findings);
  disarm();
  if (const std::string left = leftovers.await_none(); !left.empty())
    findings.add("left behind", left);
  findings.must("another pool", [] {
    PlayedPool pool(options());
    call_plainly(pool);
    send_text(pool);
  });
  return findings.take();
}

}  // namespace bulkhead::nth
