// Several threads at the worker's end of one connection.
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <numeric>

#include "rpc/ends.hpp"

namespace {

using namespace bulkhead::rpc;
using namespace bulkhead::test;
using Next = WorkerEnd::Next;

constexpr unsigned threads = 4;

// What it is filled with tells whose it is: nothing of another message may be in it.
Bytes filled(CallId id, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(id * 31 + i / 512);
  return bytes;
}

// The threads of a worker. Their end waits for each to have ended.
class Threads {
 public:
  Threads(Ends& ends, const std::function<void(WorkerEnd&)>& work) {
    for (unsigned i = 0; i < threads; ++i)
      threads_.emplace_back([&ends, work] { work(*ends.worker); });
  }

 private:
  std::vector<std::jthread> threads_;
};

}  // namespace

TEST_CASE("Each answer of several threads comes as a whole, however large") {
  struct Row {
    std::size_t size, in_flight, calls;
  };
  const auto row = GENERATE(values<Row>({{0, 16, 20'000}, {100, 16, 20'000}, {700'000, 8, 100}}));
  CAPTURE(row.size);
  Ends ends({.threads = threads});
  const Threads workers(ends, echo_until_the_end);
  std::map<CallId, Bytes> open;
  CallId last = 0;
  for (std::size_t answered = 0; answered < row.calls; ++answered) {
    while (open.size() < row.in_flight && last < row.calls) {
      ++last;
      open[last] = filled(last, row.size + last % 1000);
      ends.app->hand_over(call(last, open[last]));
    }
    const auto message = next_message(*ends.app);
    REQUIRE(message.head.kind == Kind::response);
    const auto found = ends.app->close(message.head);
    REQUIRE(found);
    if (copy_of(message.body()) != open.at(found->id)) FAIL("call " << found->id << " is garbled");
    open.erase(found->id);
  }
  ends.app.reset();
}

TEST_CASE("A thread that runs a request keeps no other from the next, nor an answer from the app") {
  Ends ends({.threads = threads});
  std::atomic<unsigned> running = 0;
  std::atomic<bool> go_on = false;
  const Threads workers(ends, [&](WorkerEnd& worker) {
    WorkerEnd::Request request;
    while (worker.next(request) == Next::request) {
      ++running;
      if (request.head.id < threads && !wait_until([&] { return go_on.load(); })) return;
      if (!worker.respond(request.head, request.body())) return;
    }
  });
  for (CallId id = 1; id < threads; ++id) ends.app->hand_over(call(id));
  REQUIRE(wait_until([&] { return running == threads - 1; }));
  for (CallId id = threads; id < 100; ++id) {
    ends.app->hand_over(call(id));
    const auto message = next_message(*ends.app);
    CHECK(message.head.id == id);
    REQUIRE(ends.app->close(message.head));
  }
  go_on = true;
  for (CallId id = 1; id < threads; ++id) REQUIRE(ends.app->close(next_message(*ends.app).head));
  ends.app.reset();
}

TEST_CASE("Only what a thread has at hand counts as begun") {
  Ends ends({.threads = threads});
  std::atomic<unsigned> running = 0;
  std::atomic<bool> go_on = false;
  const Threads workers(ends, [&](WorkerEnd& worker) {
    WorkerEnd::Request request;
    if (worker.next(request) != Next::request) return;
    ++running;
    static_cast<void>(wait_until([&] { return go_on.load(); }));
  });
  for (CallId id = 1; id <= 10; ++id) ends.app->hand_over(call(id));
  REQUIRE(wait_until([&] { return running == threads; }));
  const auto left = ends.app->drain();
  CHECK(ids(left.begun) == std::vector<CallId>{1, 2, 3, 4});
  CHECK(ids(left.not_begun) == std::vector<CallId>{5, 6, 7, 8, 9, 10});
  go_on = true;
}

TEST_CASE("Once one thread is told to leave, all are, when they have done what they run") {
  Ends ends({.threads = threads});
  std::atomic<unsigned> begun = 0, left = 0;
  std::atomic<bool> go_on = false;
  {
    const Threads workers(ends, [&](WorkerEnd& worker) {
      WorkerEnd::Request request;
      Next next;
      while ((next = worker.next(request)) == Next::request) {
        ++begun;
        if (!wait_until([&] { return go_on.load(); })) return;
        if (!worker.respond(request.head, {})) return;
      }
      left += next == Next::leave;
    });
    ends.app->hand_over(call(1));
    ends.app->hand_over(call(2));
    REQUIRE(wait_until([&] { return begun == 2; }));
    ends.app->leave();
    REQUIRE(wait_until([&] { return left == threads - 2; }));
    go_on = true;
    for (int i = 0; i < 2; ++i) CHECK(ends.app->close(next_message(*ends.app).head));
  }
  CHECK(left == threads);
}

TEST_CASE("All threads see that the app is gone, those with an answer that has no room too") {
  Ends ends({.ring_bytes = 4096, .threads = threads});
  std::atomic<unsigned> begun = 0, failed = 0, gone = 0;
  {
    const Threads workers(ends, [&](WorkerEnd& worker) {
      WorkerEnd::Request request;
      for (;;) {
        if (worker.next(request) != Next::request) return void(++gone);
        ++begun;
        if (!worker.respond(request.head, Bytes(100'000))) return void(++failed);
      }
    });
    for (CallId id = 1; id < threads; ++id) ends.app->hand_over(call(id));
    REQUIRE(wait_until([&] { return begun == threads - 1; }));
    ends.app.reset();
  }
  CHECK(failed == threads - 1);
  CHECK(gone == 1);
}
