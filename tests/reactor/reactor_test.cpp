#include <atomic>
#include <catch2/catch.hpp>

#include "platform/fd.hpp"
#include "reactor/reactor.hpp"
#include "reactor/timer.hpp"
#include "reactor/watch.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using bulkhead::test::LeakCheck;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

struct Owner : std::enable_shared_from_this<Owner> {
  explicit Owner(reactor::Reactor& reactor) : timer(reactor), other(reactor), watch(reactor) {}
  reactor::Timer timer, other;
  reactor::Watch watch;
  std::atomic<int> fired = 0;
  reactor::Moment done;
};

// Runs on the reactor, and returns when it has run.
template <class Work>
void on_reactor(reactor::Reactor& reactor, Work work) {
  reactor::Moment ran;
  reactor.post([&] {
    work();
    ran.happen();
  });
  ran.wait(reactor);
}

}  // namespace

TEST_CASE("The reactor's thread starts with the first owner and ends with the last") {
  const LeakCheck nothing_left;
  auto first = reactor::Reactor::acquire();
  CHECK(reactor::Reactor::acquire() == first);
  CHECK_FALSE(first->on_its_thread());
  on_reactor(*first, [&] { CHECK(first->on_its_thread()); });
}

TEST_CASE("The last owner may let go on the reactor's own thread") {
  const LeakCheck nothing_left;
  auto reactor = reactor::Reactor::acquire();
  auto& borrowed = *reactor;
  borrowed.post([last = std::move(reactor)]() mutable { last.reset(); });
}

TEST_CASE("On the reactor's thread a wait goes on with what is due") {
  const LeakCheck nothing_left;
  const auto reactor = reactor::Reactor::acquire();
  reactor::Moment inner;
  on_reactor(*reactor, [&] {
    reactor->post([&] { inner.happen(); });
    inner.wait(*reactor);
  });
  CHECK(inner.happened());
}

TEST_CASE("A timer fires once, not before its time, and a time that has passed is due at once") {
  const LeakCheck nothing_left;
  const auto reactor = reactor::Reactor::acquire();
  const auto owner = std::make_shared<Owner>(*reactor);
  const auto when = Clock::now() + GENERATE(-3600s, 0s, 1s) / 50;
  on_reactor(*reactor, [&] {
    owner->timer.start(when, owner->weak_from_this(), [&] {
      ++owner->fired;
      owner->done.happen();
    });
  });
  owner->done.wait(*reactor);
  CHECK(Clock::now() >= when);
  on_reactor(*reactor, [&] { CHECK(owner->fired == 1); });
}

TEST_CASE("A timer that is stopped or set anew does not do what it was set for before") {
  const LeakCheck nothing_left;
  const auto reactor = reactor::Reactor::acquire();
  const auto owner = std::make_shared<Owner>(*reactor);
  on_reactor(*reactor, [&] {
    // Both are due already, but nothing fires before this work is over.
    owner->timer.start(Clock::now(), owner->weak_from_this(), [&] { owner->fired += 100; });
    owner->timer.start(Clock::now(), owner->weak_from_this(), [&] { owner->fired += 1; });
    owner->other.start(Clock::now(), owner->weak_from_this(), [&] { owner->fired += 10'000; });
    owner->other.stop();
    owner->other.start(Clock::now() + 10ms, owner->weak_from_this(), [&] { owner->done.happen(); });
  });
  owner->done.wait(*reactor);
  on_reactor(*reactor, [&] { CHECK(owner->fired == 1); });
}

TEST_CASE("A timer does nothing once its owner is gone") {
  const LeakCheck nothing_left;
  const auto reactor = reactor::Reactor::acquire();
  const auto other = std::make_shared<Owner>(*reactor);
  int fired = 0;
  on_reactor(*reactor, [&] {
    const auto owner = std::make_shared<Owner>(*reactor);
    owner->timer.start(Clock::now(), owner->weak_from_this(), [&] { ++fired; });
    other->timer.start(Clock::now() + 10ms, other->weak_from_this(), [&] { other->done.happen(); });
  });
  other->done.wait(*reactor);
  CHECK(fired == 0);
}

TEST_CASE("A watch that is stopped after its descriptor became readable is not called") {
  const LeakCheck nothing_left;
  const auto reactor = reactor::Reactor::acquire();
  const auto owner = std::make_shared<Owner>(*reactor);
  const auto pipe = platform::make_pipe();
  const auto count = [&] { return ++owner->fired < 3; };
  REQUIRE(platform::write_file("/proc/self/fd/" + std::to_string(pipe.write.get()), "x") == 0);
  SECTION("a watch that goes on is called as long as there is something to read") {
    on_reactor(*reactor, [&] { owner->watch.start(pipe.read, owner->weak_from_this(), count); });
    while (owner->fired < 3) on_reactor(*reactor, [] {});
    on_reactor(*reactor, [&] { CHECK(owner->fired == 3); });
  }
  SECTION("a stopped one never") {
    on_reactor(*reactor, [&] {
      owner->watch.start(pipe.read, owner->weak_from_this(), count);
      owner->watch.stop();
      owner->timer.start(Clock::now() + 10ms, owner->weak_from_this(),
                         [&] { owner->done.happen(); });
    });
    owner->done.wait(*reactor);
    on_reactor(*reactor, [&] { CHECK(owner->fired == 0); });
  }
  on_reactor(*reactor, [&] { owner->watch.stop(); });
}
