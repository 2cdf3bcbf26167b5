#include "server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <exception>
#include <utility>

#include "session.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;

Server::Server(asio::io_context& io, bulkhead::Pool<Shrinker>& pool, std::uint16_t port)
    : acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), port)), pool_(pool) {}

namespace {

asio::awaitable<void> a_moment() {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(10));
  co_await timer.async_wait(asio::use_awaitable);
}

// A client that goes, or says what is no HTTP, ends its own session only.
void session_ended(const std::exception_ptr& why) {
  try {
    if (why) std::rethrow_exception(why);
  } catch (const boost::system::system_error&) {
  } catch (const std::exception& error) {
    std::fprintf(stderr, "http: a session ended: %s\n", error.what());
  }
}

}  // namespace

asio::awaitable<void> Server::all_answered() {
  while (counts_.answering > 0) co_await a_moment();
}

asio::awaitable<void> Server::run() {
  for (;;) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!acceptor_.is_open()) co_return;
    if (error) {
      co_await a_moment();  // as when there are too many open files
      continue;
    }
    const auto executor = acceptor_.get_executor();
    asio::co_spawn(executor, serve_client(std::move(socket), pool_, counts_), session_ended);
  }
}
