#include <sys/wait.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

#include "ipc/link.hpp"
#include "ipc/own_ring.hpp"
#include "platform/poll.hpp"
#include "support/in_child.hpp"

namespace {

using namespace bulkhead::ipc;
using namespace std::chrono_literals;
using bulkhead::test::bytes;
using bulkhead::test::expect;

Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

// Both ends in one process.
struct Pair {
  std::unique_ptr<Link> app, worker;

  explicit Pair(std::uint32_t worker_spin_limit = 50'000) {
    auto [app_bell, worker_bell] = Doorbell::make();
    Segment segment = Segment::create({.slots = 4, .ring_bytes = 4096});
    segment.hints().worker_spin_limit_ns = worker_spin_limit;
    worker =
        std::make_unique<Link>(End::worker, Segment::open(segment.name()), std::move(worker_bell));
    app = std::make_unique<Link>(End::app, std::move(segment), std::move(app_bell));
    app->unlink_segment();
  }
};

void fill(Link& link) {
  while (link.send(bytes(100), {}) == Write::done) {
  }
}

}  // namespace

TEST_CASE("Frames pass both ways, and a peer that is awake is not rung for") {
  Pair pair;
  Buffer got;
  REQUIRE(pair.app->send(bytes(10), bytes(20)) == Write::done);
  REQUIRE(pair.worker->receive(got) == Read::frame);
  CHECK(got.size() == 30);
  REQUIRE(pair.worker->send({}, got, more) == Write::done);
  REQUIRE(pair.app->receive(got) == Read::part);
  CHECK(got.size() == 60);
  CHECK(pair.app->receive(got) == Read::empty);
  CHECK(pair.app->bell().drain() == Bell::quiet);
  CHECK(pair.worker->bell().drain() == Bell::quiet);
}

TEST_CASE("An armed end is rung for, once; a disarmed one is not") {
  Pair pair;
  Buffer got;
  REQUIRE_FALSE(pair.app->arm());
  REQUIRE(pair.worker->send({}, {}) == Write::done);
  CHECK(pair.app->bell().drain() == Bell::rung);
  REQUIRE(pair.worker->send({}, {}) == Write::done);
  CHECK(pair.app->bell().drain() == Bell::quiet);
  CHECK(pair.app->arm());  // there is something to receive
  while (pair.app->receive(got) == Read::frame) {
  }
  REQUIRE_FALSE(pair.app->arm());
  pair.app->disarm();
  REQUIRE(pair.worker->send({}, {}) == Write::done);
  CHECK(pair.app->bell().drain() == Bell::quiet);
}

TEST_CASE("A worker that never receives leaves the sender with a full ring, and nothing waits") {
  Pair pair;
  fill(*pair.app);
  CHECK(pair.app->send({}, {}) == Write::full);
  CHECK(pair.app->room() == 0);
  CHECK_FALSE(pair.app->spin_for_room(100, 1us));
  REQUIRE_FALSE(pair.app->arm_for_room(100));

  Buffer got;
  while (pair.worker->receive(got) == Read::frame) {
  }
  CHECK(pair.app->bell().drain() == Bell::rung);
  CHECK(pair.app->send(bytes(100), {}) == Write::done);
}

TEST_CASE("A worker's waits end at their deadlines") {
  Pair pair;
  CHECK(pair.worker->wait_for_frame(in(1ms)) == Wake::timeout);
  fill(*pair.worker);
  CHECK(pair.worker->wait_for_room(100, in(1ms)) == Wake::timeout);
}

TEST_CASE("A worker whose app is gone receives what was sent, and then is told") {
  Pair pair;
  REQUIRE(pair.app->send(bytes(5), {}) == Write::done);
  pair.app.reset();
  Buffer got;
  REQUIRE(pair.worker->wait_for_frame() == Wake::ready);
  REQUIRE(pair.worker->receive(got) == Read::frame);
  CHECK(pair.worker->wait_for_frame() == Wake::closed);
  fill(*pair.worker);
  CHECK(pair.worker->wait_for_room(100) == Wake::closed);
}

TEST_CASE("A worker that waits for an app that dies is told") {
  Pair pair;
  std::thread app_dies([&] { pair.app.reset(); });
  CHECK(pair.worker->wait_for_frame(in(30s)) == Wake::closed);
  app_dies.join();
}

TEST_CASE("A violation wakes whoever waits") {
  Pair pair;
  pair.app->segment().to_worker().control->tail = 1;
  CHECK(pair.worker->wait_for_frame() == Wake::ready);
  Buffer got;
  CHECK(pair.worker->receive(got) == Read::violation);
  fill(*pair.worker);
  pair.app->segment().to_app().control->head = 1;
  CHECK(pair.worker->wait_for_room(100) == Wake::ready);
  CHECK(pair.worker->send(bytes(100), {}) == Write::violation);
}

// Fault crash.answered
TEST_CASE("An answer that a worker published before it was killed is received, without a bell") {
  auto [app_bell, worker_bell] = Doorbell::make();
  Segment segment = Segment::create();
  const int status = bulkhead::test::in_child([&] {
    RingWriter writer(segment.to_app());
    expect(writer.try_write(bytes(1000), {}) == Write::done);
    ::raise(SIGKILL);
  });
  REQUIRE(WIFSIGNALED(status));
  Link app(End::app, std::move(segment), std::move(app_bell));
  { const Doorbell gone = std::move(worker_bell); }
  CHECK(app.bell().drain() == Bell::closed);
  Buffer got;
  CHECK(app.receive(got) == Read::frame);
  CHECK(got == bytes(1000));
  CHECK(app.receive(got) == Read::empty);
}

TEST_CASE("Thousands of answers to a sleeping peer lose no wake-up") {
  constexpr int rounds = 10'000;
  const auto spin_limit = GENERATE(as<std::uint32_t>(), 0, 2'000, 50'000);
  Pair pair(spin_limit);
  const auto play = [](Link& link, bool first) {
    Buffer got;
    for (int i = 0; i < rounds; ++i) {
      if (first && link.send(bytes(8), {}) != Write::done) return false;
      if (link.wait_for_frame(in(30s)) != Wake::ready) return false;
      if (link.receive(got) != Read::frame) return false;
      if (!first && link.send(bytes(8), {}) != Write::done) return false;
    }
    return true;
  };
  bool answered = false;
  std::thread worker([&] { answered = play(*pair.worker, false); });
  CHECK(play(*pair.app, true));
  worker.join();
  CHECK(answered);
}

TEST_CASE("One thread waits for frames while another waits for room, and neither is forgotten") {
  constexpr int frames = 5'000;
  Pair pair(0);
  std::atomic<int> received = 0;
  std::atomic<bool> sent_all = false;
  std::thread receiver([&] {
    Buffer got;
    while (received < frames && pair.worker->wait_for_frame(in(30s)) == Wake::ready) {
      got.clear();
      if (pair.worker->receive(got) == Read::frame) ++received;
    }
  });
  std::thread sender([&] {
    for (int i = 0; i < frames;) {
      const Write written = pair.worker->send(bytes(200), {});
      i += written == Write::done;
      if (written == Write::full && pair.worker->wait_for_room(200, in(30s)) != Wake::ready) return;
    }
    sent_all = true;
  });
  // The app takes and gives at its own pace, and rings for both.
  Buffer got;
  int given = 0, taken = 0;
  const Deadline end = in(30s);
  while ((given < frames || taken < frames) && std::chrono::steady_clock::now() < *end) {
    if (given < frames) given += pair.app->send(bytes(200), {}) == Write::done;
    got.clear();
    taken += pair.app->receive(got) == Read::frame;
  }
  receiver.join();
  sender.join();
  CHECK(received == frames);
  CHECK(sent_all);
  CHECK(taken == frames);
}

TEST_CASE(
    "An event loop and a thread that waits for room share the bell, and neither is forgotten") {
  constexpr int frames = 5'000;
  Pair pair(0);
  Link& worker = *pair.worker;
  std::atomic<int> told = 0;
  worker.listeners().tell_loop([&told] { ++told; });
  std::atomic<int> received = 0;
  std::atomic<bool> sent_all = false;
  // What an event loop does: it sleeps at the descriptor, or until it is told.
  std::thread loop([&] {
    Buffer got;
    const Deadline end = in(30s);
    while (received < frames && std::chrono::steady_clock::now() < *end) {
      got.clear();
      if (worker.receive(got) == Read::frame) {
        ++received;
        continue;
      }
      const int seen = told;
      if (worker.arm()) continue;
      while (told == seen && std::chrono::steady_clock::now() < *end)
        if (bulkhead::platform::is_readable(worker.bell().fd().get())) {
          if (worker.listeners().hear_now() == Bell::closed) return;
          break;
        }
      worker.disarm();
    }
  });
  std::thread sender([&] {
    for (int i = 0; i < frames;) {
      const Write written = worker.send(bytes(200), {});
      i += written == Write::done;
      if (written == Write::full && worker.wait_for_room(200, in(30s)) != Wake::ready) return;
    }
    sent_all = true;
  });
  Buffer got;
  int given = 0, taken = 0;
  const Deadline end = in(30s);
  while ((given < frames || taken < frames) && std::chrono::steady_clock::now() < *end) {
    if (given < frames) given += pair.app->send(bytes(200), {}) == Write::done;
    got.clear();
    taken += pair.app->receive(got) == Read::frame;
  }
  loop.join();
  sender.join();
  CHECK(received == frames);
  CHECK(sent_all);
  CHECK(taken == frames);
}

TEST_CASE("A spin for a frame that is there costs nothing; one without leave looks once") {
  Pair pair;
  CHECK_FALSE(pair.app->spin_for_frame(0ns));
  REQUIRE(pair.worker->send({}, {}) == Write::done);
  CHECK(pair.app->spin_for_frame(0ns));
}
