// Coroutines that await workers: two calls at once, and one that is given up.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <bulkhead/bulkhead.hpp>
#include <iostream>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

struct CountPrimes {  // from `from` to before `to`
  using Response = int;
  int from = 0, to = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(from, to);
  }
};

struct Primes : bulkhead::Service<"primes", CountPrimes> {};

bool is_prime(int number) {
  for (int divisor = 2; divisor <= number / divisor; ++divisor)
    if (number % divisor == 0) return false;
  return number > 1;
}

int count_primes(const CountPrimes& request, bulkhead::Context& context) {
  int count = 0;
  for (int i = request.from; i < request.to && !context.stop_requested(); ++i) count += is_prime(i);
  return count;
}

asio::awaitable<void> count(bulkhead::Pool<Primes>& pool) {
  const auto [low, high] =
      co_await (pool.async_run(CountPrimes{0, 50'000}, asio::use_awaitable) &&
                pool.async_run(CountPrimes{50'000, 100'000}, asio::use_awaitable));
  std::cout << low + high << " primes below 100000\n";

  asio::steady_timer patience(co_await asio::this_coro::executor, std::chrono::milliseconds(50));
  const auto first = co_await (pool.async_run(CountPrimes{0, 2'000'000'000}, asio::use_awaitable) ||
                               patience.async_wait(asio::use_awaitable));
  if (first.index() == 1) std::cout << "below 2000000000 there are too many to wait for\n";
}

int main() {
  bulkhead::serve_if_worker<Primes>(count_primes);
  bulkhead::Pool<Primes> pool{{.workers = 2}};
  asio::io_context io;
  asio::co_spawn(io, count(pool), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  io.run();  // ends when no call is open
}
