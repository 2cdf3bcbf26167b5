// An HTTP server that makes uploaded images smaller, in worker processes:
//   http [PORT [WORKERS]]
// Without a port, or with 0, the kernel chooses one. Ctrl-C ends it in good order.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "server.hpp"

namespace asio = boost::asio;

namespace {

// Clients whose uploads are being decoded get their answers.
asio::awaitable<void> end_on_signal(Server& server, bulkhead::Pool<Shrinker>& pool,
                                    asio::io_context& io) {
  asio::signal_set signals(io, SIGINT, SIGTERM);
  co_await signals.async_wait(asio::use_awaitable);
  server.close();
  const auto report = co_await pool.async_shutdown(std::chrono::seconds(5), asio::use_awaitable);
  std::printf("%zu uploads were answered meanwhile, %zu given up\n", report.calls_completed,
              report.calls_failed);
  co_await server.all_answered();
  io.stop();  // whoever has not asked for anything is hung up on
}

int serve(std::uint16_t port, std::size_t workers) {
  asio::io_context io(1);
  bulkhead::Pool<Shrinker> pool{{.workers = workers, .executor = io.get_executor()}};
  Server server(io, pool, port);
  std::printf("listening on http://127.0.0.1:%u\n", server.port());
  std::fflush(stdout);
  asio::co_spawn(io, server.run(), asio::detached);
  asio::co_spawn(io, end_on_signal(server, pool, io), asio::detached);
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  bulkhead::serve_if_worker<Shrinker>(shrink);
  try {
    const int port = argc > 1 ? std::atoi(argv[1]) : 0;
    const int workers = argc > 2 ? std::atoi(argv[2]) : 2;
    return serve(static_cast<std::uint16_t>(port), static_cast<std::size_t>(workers));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "http: %s\n", error.what());
    return 1;
  }
}
