#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "faults/service/handlers.hpp"
#include "faults/service/steering_service.hpp"

namespace bulkhead::test {

namespace {

void poll(const Context& context) {
  while (!context.stop_requested()) std::this_thread::yield();
}

std::string heed(const Heed& request, Context& context) {
  put(request.begun, std::to_string(::getpid()));
  switch (request.how) {
    case Heeding::polls:
      poll(context);
      return "polled";
    case Heeding::waits: {
      std::mutex mutex;
      std::condition_variable_any changed;
      std::unique_lock lock(mutex);
      changed.wait(lock, context.stop_token(), [] { return false; });
      return "waited";
    }
    case Heeding::calls_back: {
      std::atomic<bool> told = false;
      const std::stop_callback callback(context.stop_token(), [&told] {
        told = true;
        told.notify_one();
      });
      told.wait(false);
      return "called back";
    }
    case Heeding::throws:
      poll(context);
      throw std::runtime_error("asked to stop");
    case Heeding::never:
      wait_for_ever();
  }
  return {};
}

double ask_deadline(const AskDeadline&, Context& context) {
  if (!context.deadline()) return -1;
  const auto left = *context.deadline() - std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::milli>(left).count();
}

Bytes answer_late(const AnswerLate& request, Context& context) {
  put(request.begun, std::to_string(::getpid()));
  wait_for(request.until);
  return context.make_bytes(1 << 20);
}

constexpr auto handlers = std::make_tuple(heed, ask_deadline, answer_late);

}  // namespace

void serve_steering_if_worker() {
  const ServeOptions options{.threads = told("TEST_THREADS", 1)};
  std::apply([&](auto... each) { bulkhead::serve_if_worker<SteeringService>(options, each...); },
             handlers);
}

template <>
Pool<SteeringService> pool_of_threads<SteeringService>(const PoolOptions& options,
                                                       const ServeOptions& serve) {
  return std::apply(
      [&](auto... each) { return InlinePool<SteeringService>(options, serve, each...); }, handlers);
}

}  // namespace bulkhead::test
