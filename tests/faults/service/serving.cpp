// The serving side of the test service, and what its processes do besides.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>
#include <tuple>

#include "faults/service/bytes_service.hpp"
#include "faults/service/channel_service.hpp"
#include "faults/service/coroutine_service.hpp"
#include "faults/service/handlers.hpp"
#include "faults/service/log_service.hpp"
#include "faults/service/progress_service.hpp"
#include "faults/service/steering_service.hpp"

namespace bulkhead::test {

namespace {

void do_what(const std::string& told) {
  const auto equals = told.find('=');
  const std::string what = told.substr(0, equals);
  const std::string file = equals == told.npos ? "" : told.substr(equals + 1);
  if (what == "throw") throw std::runtime_error("told to throw");
  if (what == "die") std::abort();
  if (what == "hang") wait_for_ever();
  if (what == "thread") std::thread(wait_for_ever).detach();
  if (what == "wait") {
    put(file + ".awaited", "");
    wait_for(file);
  }
  if (what == "die_if" && std::filesystem::exists(file)) std::abort();
  if (what == "die_first" && std::filesystem::create_directory(file)) std::abort();
  if (what == "load") {
    static std::vector<char> loaded;
    loaded.assign(std::stoul(file) << 20, 'x');
  }
  if (what == "handle_crashes") std::signal(SIGSEGV, [](int) { ::_exit(77); });
  if (what == "storm") static_cast<void>(begin_storm());
  if (what == "enter") std::ofstream(file) << ::getpid();
  if (what == "touch") put(file, std::to_string(::getpid()));
}

std::function<void()> told_by(const char* variable) {
  const char* const told = std::getenv(variable);
  if (!told) return {};
  return [told = std::string(told)] { do_what(told); };
}

ServeOptions options() {
  return {.threads = told("TEST_THREADS", 1),
          .preload = told_by("TEST_PRELOAD"),
          .warm_up = told_by("TEST_WARM_UP"),
          .on_exit = told_by("TEST_ON_EXIT")};
}

constexpr auto handlers = std::make_tuple(
    echo, add, nothing, twice, answer, block, block_again, linger, compute, note, look_around,
    who_am_i, say, flood, die, poison, inject, throw_it, trouble, start, grab, leak, nest, forge,
    send_forged, scribble, keep_scribbling, close_doorbell, flood_doorbell, hurt, kill_siblings,
    shrink_memory, punch_holes);

}  // namespace

void serve_if_worker() {
  if (const auto before = told_by("TEST_BEFORE")) before();
  serve_bytes_if_worker();
  serve_channels_if_worker();
  serve_steering_if_worker();
  serve_progress_if_worker();
  serve_coroutines_if_worker();
  serve_logs_if_worker();
  bulkhead::serve_if_worker<SecondService>([](const Echo& r) { return "second " + r.text; });
  std::apply([](auto... each) { bulkhead::serve_if_worker<TestService>(options(), each...); },
             handlers);
}

void serve() {
  std::apply([](auto... each) { bulkhead::serve<TestService>(options(), each...); }, handlers);
  std::abort();  // std::apply hides that it does not return
}

void serve_newer() {
  std::apply([](auto... each) { bulkhead::serve<NewerTestService>(each...); }, handlers);
  std::abort();
}

template <>
Pool<TestService> pool_of_threads<TestService>(const PoolOptions& options,
                                               const ServeOptions& serve) {
  return std::apply([&](auto... each) { return InlinePool<TestService>(options, serve, each...); },
                    handlers);
}

}  // namespace bulkhead::test
