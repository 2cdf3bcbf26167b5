#include "reactor/reactor.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/system_error.hpp>
#include <mutex>
#include <system_error>

#include "platform/home_process.hpp"
#include "platform/signals.hpp"
#include "platform/stdio.hpp"

namespace bulkhead::reactor {

namespace {

struct Registry {
  explicit Registry(const Registry*) {}
  std::mutex mutex;
  std::weak_ptr<Reactor> reactor;
};

// Never destroyed: pools with static lifetime may end after any static of ours.
constinit platform::PerProcess<Registry> registry;

// Asio makes its descriptors for the first that waits for one: here, so that they are none of the
// application's standard ones, and so that it is here that they cannot be made.
std::shared_ptr<boost::asio::io_context> make_context() {
  const platform::StdioHeld held;
  try {
    auto context = std::make_shared<boost::asio::io_context>();
    const boost::asio::posix::stream_descriptor first(*context);
    return context;
  } catch (const boost::system::system_error& error) {
    throw std::system_error(error.code(), "cannot wait for processes");
  }
}

thread_local bool runs_one = false;

}  // namespace

std::shared_ptr<Reactor> Reactor::acquire() {
  Registry& shared = registry.get();
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
Reactor::Reactor() : context_(make_context()) {
  // The application's signal handlers run on the application's threads.
  const platform::BlockedSignals blocked(platform::BlockedSignals::Which::all_but_crashes);
  thread_ = std::thread([context = context_] {
    runs_one = true;
    const auto work = boost::asio::make_work_guard(*context);
    context->run();
  });
}

bool Reactor::is_this_thread() { return runs_one; }

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
