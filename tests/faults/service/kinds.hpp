// Pools of the tests' services in two kinds: with processes, and with threads of this process. What
// holds for both is tested with both.
#pragma once

#include <bulkhead/bulkhead.hpp>
#include <cstdlib>
#include <string>
#include <utility>

namespace bulkhead::test {

enum class Kind { processes, threads };

// Of one that serves S with its own handlers. Each service has one.
template <class S>
Pool<S> pool_of_threads(const PoolOptions& options, const ServeOptions& serve);

template <class S>
Pool<S> pool_of(Kind kind, PoolOptions options, unsigned threads = 1, unsigned concurrency = 256) {
  if (kind == Kind::threads)
    return pool_of_threads<S>(options, {.threads = threads, .concurrency = concurrency});
  options.launch.env("TEST_THREADS", std::to_string(threads))
      .env("TEST_CONCURRENCY", std::to_string(concurrency));
  return Pool<S>(options);
}

// What such a variable says in a worker.
inline unsigned told(const char* variable, unsigned usual) {
  const char* const value = std::getenv(variable);
  return value ? static_cast<unsigned>(std::atoi(value)) : usual;
}

}  // namespace bulkhead::test
