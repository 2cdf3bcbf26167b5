// Listens on the loopback interface, and has a coroutine for each client. On one thread: what
// computes, or may crash, is done by workers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <bulkhead/bulkhead.hpp>
#include <cstddef>
#include <cstdint>

#include "shrinker.hpp"

struct Counts {
  std::size_t answering = 0;    // clients that wait for an answer now
  std::uint64_t shrunk = 0;     // uploads that were answered with a picture
  std::uint64_t failed = 0;     // with why there is none
  std::uint64_t abandoned = 0;  // not at all, for the client had gone
};

class Server {
 public:
  // Port 0: the kernel chooses one.
  Server(boost::asio::io_context& io, bulkhead::Pool<Shrinker>& pool, std::uint16_t port);

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  // Takes clients until close().
  boost::asio::awaitable<void> run();
  void close() { acceptor_.close(); }
  // Returns when nobody waits for an answer.
  boost::asio::awaitable<void> all_answered();

 private:
  boost::asio::ip::tcp::acceptor acceptor_;
  bulkhead::Pool<Shrinker>& pool_;
  Counts counts_;
};
