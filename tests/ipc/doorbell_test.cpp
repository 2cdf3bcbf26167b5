#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "ipc/doorbell.hpp"
#include "ipc/listeners.hpp"

namespace {

using namespace bulkhead::ipc;
using namespace std::chrono_literals;

Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

TEST_CASE("A bell is heard at the other end, and then it is quiet") {
  auto [app, worker] = Doorbell::make();
  CHECK(app.drain() == Bell::quiet);
  CHECK(app.hear(in(0ms)) == Bell::quiet);
  worker.ring();
  worker.ring();
  CHECK(app.hear({}) == Bell::rung);
  CHECK(app.drain() == Bell::quiet);
  CHECK(worker.drain() == Bell::quiet);
}

TEST_CASE("The other end is gone: what it rang is heard first, and ringing harms nobody") {
  auto [app, worker] = Doorbell::make();
  worker.ring();
  { const Doorbell gone = std::move(worker); }
  CHECK(app.hear({}) == Bell::rung);
  CHECK(app.hear({}) == Bell::closed);
  app.ring();
  CHECK(app.drain() == Bell::closed);
}

TEST_CASE("A bell that is closed while it was not heard is closed") {
  auto [app, worker] = Doorbell::make();
  app.ring();  // Linux then resets the connection
  { const Doorbell gone = std::move(worker); }
  CHECK(app.drain() == Bell::closed);
}

TEST_CASE("A peer that never listens, and changes its flags, cannot make ringing wait") {
  auto [app, worker] = Doorbell::make();
  for (const Doorbell* end : {&app, &worker}) {
    const int flags = ::fcntl(end->fd().get(), F_GETFL);
    REQUIRE(::fcntl(end->fd().get(), F_SETFL, flags & ~O_NONBLOCK) == 0);
  }
  for (int i = 0; i < 100'000; ++i) app.ring();
  CHECK(worker.drain() == Bell::rung);
  CHECK(app.drain() == Bell::quiet);
}

TEST_CASE("A peer that rings without end is heard by one read a turn") {
  auto [app, worker] = Doorbell::make();
  std::array<std::byte, 4096> flood{};
  while (::send(worker.fd().get(), flood.data(), flood.size(), MSG_DONTWAIT) > 0) {
  }
  CHECK(app.drain() == Bell::rung);
  CHECK(app.drain() == Bell::rung);
}

TEST_CASE("What is rung for one ear is not heard by the other") {
  auto [app, worker] = Doorbell::make();
  worker.ring(Ear::direct);
  CHECK(app.drain() == Bell::quiet);
  CHECK(app.hear(in(30s), Ear::direct) == Bell::rung);
  worker.ring();
  CHECK(app.hear(in(0ms), Ear::direct) == Bell::quiet);
  CHECK(app.drain() == Bell::rung);
}

TEST_CASE("The app wakes its own thread that hears directly, also when the worker is gone") {
  auto [app, worker] = Doorbell::make();
  app.nudge();
  CHECK(app.hear({}, Ear::direct) == Bell::rung);
  { const Doorbell gone = std::move(worker); }
  CHECK(app.hear(in(0ms), Ear::direct) == Bell::quiet);
  app.nudge();
  CHECK(app.hear({}, Ear::direct) == Bell::rung);
  CHECK(app.drain() == Bell::closed);
}

TEST_CASE("Two threads that sleep at one doorbell are both woken by one bell") {
  for (int round = 0; round < 200; ++round) {
    auto [app, worker] = Doorbell::make();
    Listeners listeners(worker);
    const std::uint32_t ticket = listeners.ticket();
    std::array<Bell, 2> heard{};
    std::array<std::thread, 2> threads;
    for (std::size_t i = 0; i < 2; ++i)
      threads[i] = std::thread([&, i] { heard[i] = listeners.wait(ticket, in(30s)); });
    app.ring();
    for (std::thread& thread : threads) thread.join();
    // The one that came after the other had left finds its ticket used up.
    REQUIRE(heard == std::array{Bell::rung, Bell::rung});
  }
}

TEST_CASE("A sleeper takes over when the one that listens leaves at its deadline") {
  auto [app, worker] = Doorbell::make();
  Listeners listeners(worker);
  std::thread brief([&] { (void)listeners.wait(listeners.ticket(), in(1ms)); });
  Bell heard = Bell::quiet;
  std::thread patient([&] {
    const auto end = in(30s);
    while (heard == Bell::quiet && std::chrono::steady_clock::now() < *end) {
      const Bell bell = listeners.wait(listeners.ticket(), end);
      if (bell == Bell::closed) heard = bell;
    }
  });
  brief.join();
  { const Doorbell gone = std::move(app); }
  patient.join();
  CHECK(heard == Bell::closed);
}

TEST_CASE("Sleeping at a quiet doorbell ends at the deadline") {
  auto [app, worker] = Doorbell::make();
  Listeners listeners(worker);
  CHECK(listeners.wait(listeners.ticket(), in(1ms)) == Bell::quiet);
}
