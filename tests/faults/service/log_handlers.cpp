#include "faults/service/log_service.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "faults/service/handlers.hpp"
#include "faults/service/own_segment.hpp"

namespace bulkhead::test {

namespace {

void write_lines(const Log& request) {
  const auto logger = spdlog::get("bulkhead");
  const auto level = static_cast<spdlog::level::level_enum>(request.level);
  for (std::uint64_t i = 1; i <= request.times; ++i)
    logger->log(level, "{}{}", request.text,
                request.times > 1 ? " " + std::to_string(i) : std::string());
}

void in_fork(const Log& request) {
  const pid_t child = ::fork();
  if (child == 0) {
    write_lines(request);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

std::uint64_t log(const Log& request, Context& context) {
  if (request.by_thread)
    std::thread([&] { write_lines(request); }).join();
  else if (request.by_fork)
    in_fork(request);
  else
    write_lines(request);
  if (request.dies) std::abort();
  return context.request_id();
}

std::uint64_t log_on(const LogOn& request) {
  put(request.begun, "");
  const auto logger = spdlog::get("bulkhead");
  std::uint64_t times = 0;
  while (!std::filesystem::exists(request.until))
    for (int i = 0; i < 1000; ++i) logger->info("flood {}", ++times);
  return times;
}

boost::asio::awaitable<std::uint64_t> log_and_wait(LogAndWait, Context& context) {
  const auto logger = spdlog::get("bulkhead");
  logger->info("before");
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                  std::chrono::milliseconds(1));
  co_await timer.async_wait(boost::asio::use_awaitable);
  logger->info("after");
  co_return context.request_id();
}

std::vector<std::byte> line(rpc::Head head, std::uint32_t level, std::size_t text) {
  const rpc::LogHead front{.lost = 0, .level = level};
  head.size = sizeof front + text;
  std::vector<std::byte> bytes(sizeof head + head.size, std::byte{'x'});
  std::memcpy(bytes.data(), &head, sizeof head);
  std::memcpy(bytes.data() + sizeof head, &front, sizeof front);
  return bytes;
}

void ring() {
  for (const int socket : own_sockets()) ::send(socket, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

[[noreturn]] void flood(const OwnSegment& segment, const rpc::Head& head) {
  for (;;) {
    const auto& answers = segment.answers();
    if (answers.tail.load() - answers.head.load() < 64 * 1024) segment.publish(line(head, 2, 10));
    ring();
  }
}

void forge_line(const ForgeLine& request, Context& context) {
  const OwnSegment segment;
  rpc::Head head =
      segment.head_of_answer(context.request_id(), detail::request_index<ForgeLine, LogService>);
  head.kind = rpc::Kind::logged;
  std::vector<std::byte> bytes = line(head, 2, 10);
  switch (request.how) {
    case ForgedLine::unknown_level:
      bytes = line(head, rpc::log_levels, 10);
      break;
    case ForgedLine::too_long:
      bytes = line(head, 2, rpc::max_log_text + 1);
      break;
    case ForgedLine::without_level:
      head.size = sizeof(rpc::LogHead) - 1;
      bytes.resize(sizeof head + head.size);
      std::memcpy(bytes.data(), &head, sizeof head);
      break;
    case ForgedLine::empty:
      head.size = 0;
      bytes.resize(sizeof head);
      std::memcpy(bytes.data(), &head, sizeof head);
      break;
    case ForgedLine::of_unknown_call:
      ++head.id;
      bytes = line(head, 2, 10);
      break;
    case ForgedLine::flood:
      flood(segment, head);
    case ForgedLine::count:
      break;
  }
  segment.publish(bytes);
  ring();
  for (;;) ::pause();
}

void warm_up() {
  if (const char* const text = std::getenv("LOG_WARM_UP")) spdlog::get("bulkhead")->warn(text);
}

}  // namespace

void serve_logs_if_worker() {
  const char* const threads = std::getenv("TEST_THREADS");
  const ServeOptions options{.threads = threads ? static_cast<unsigned>(std::atoi(threads)) : 1,
                             .warm_up = warm_up};
  bulkhead::serve_if_worker<LogService>(options, log, log_on, forge_line);
  bulkhead::serve_if_worker<CoLogService>(log, log_and_wait);
}

}  // namespace bulkhead::test
