// What the tests of asynchronous calls do with handlers.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>
#include <exception>
#include <future>
#include <memory_resource>
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

template <class T>
T value_of(std::future<T> future) {
  if (future.wait_for(default_watchdog) != std::future_status::ready)
    throw std::runtime_error("a call never completed");
  return future.get();
}

// Where use_future completes: Asio's own threads, which stay.
inline void start_system_threads() {
  std::promise<void> started;
  asio::post(asio::system_executor(), [&] { started.set_value(); });
  value_of(started.get_future());
}

// Counts what is out.
class Counting : public std::pmr::memory_resource {
 public:
  std::atomic<int> out = 0, all = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    ++out, ++all;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    --out;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
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
