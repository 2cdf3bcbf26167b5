// What the tests of asynchronous calls do with handlers.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>
#include <exception>
#include <future>
#include <optional>
#include <thread>

#include "faults/calls.hpp"

namespace bulkhead::test {

namespace asio = boost::asio;

inline std::optional<errc> code_of(const std::exception_ptr& error) {
  if (!error) return std::nullopt;
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return static_cast<errc>(known.code().value());
  }
}

// What a handler has seen, on any thread.
struct Seen {
  std::atomic<int> times = 0;
  std::optional<errc> error = {};
  std::thread::id thread = {};

  auto handler() {
    return [this](const std::exception_ptr& failure, const auto&...) {
      error = code_of(failure);
      thread = std::this_thread::get_id();
      ++times;
      times.notify_all();
    };
  }
  bool once() const {
    return wait_until([this] { return times > 0; }) && times == 1;
  }
};

inline void run(asio::io_context& io) {
  io.restart();
  io.run_for(std::chrono::duration_cast<std::chrono::milliseconds>(default_watchdog));
}

// Where use_future completes: Asio's own threads, which stay.
inline void start_system_threads() {
  std::promise<void> started;
  asio::post(asio::system_executor(), [&] { started.set_value(); });
  started.get_future().get();
}

}  // namespace bulkhead::test
