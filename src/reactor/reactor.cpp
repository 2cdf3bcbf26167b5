#include "reactor/reactor.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <mutex>

#include "platform/signals.hpp"

namespace bulkhead::reactor {

namespace {

struct Registry {
  std::mutex mutex;
  std::weak_ptr<Reactor> reactor;
};

// Never destroyed: pools with static lifetime may end after any static of ours.
Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

}  // namespace

std::shared_ptr<Reactor> Reactor::acquire() {
  Registry& shared = registry();
  const std::lock_guard lock(shared.mutex);
  auto reactor = shared.reactor.lock();
  if (!reactor) {
    reactor.reset(new Reactor);
    shared.reactor = reactor;
  }
  return reactor;
}

// Without a hint that one thread runs it: Asio would then keep what that thread posts to itself,
// and a wait inside of it (Moment::wait) would not get to see it.
Reactor::Reactor() : context_(std::make_shared<boost::asio::io_context>()) {
  // The application's signal handlers run on the application's threads.
  const platform::BlockedSignals blocked;
  thread_ = std::thread([context = context_] {
    const auto work = boost::asio::make_work_guard(*context);
    context->run();
  });
}

Reactor::~Reactor() {
  context_->stop();
  if (on_its_thread())
    thread_.detach();
  else
    thread_.join();
}

void Moment::wait(Reactor& reactor) const {
  if (!reactor.on_its_thread()) return happened_.wait(false, std::memory_order_acquire);
  while (!happened()) reactor.context().run_one();
}

}  // namespace bulkhead::reactor
