// One client, from its first request to its last.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <bulkhead/bulkhead.hpp>

#include "server.hpp"
#include "shrinker.hpp"

// Throws boost::system::system_error when the client has gone.
boost::asio::awaitable<void> serve_client(boost::asio::ip::tcp::socket socket,
                                          bulkhead::Pool<Shrinker>& pool, Counts& counts);
