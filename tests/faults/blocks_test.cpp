// Large strings and vectors: beside their messages, or in parts through the ring.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <numeric>

#include "faults/calls.hpp"
#include "faults/service/bytes_service.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using BytesPool = Pool<BytesService>;

constexpr std::size_t mib = std::size_t{1} << 20;

std::string text_of(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 23);
  return text;
}

Large large_of(std::size_t bytes) {
  Large large{.text = text_of(bytes)};
  large.numbers.resize(bytes / sizeof(float));
  std::iota(large.numbers.begin(), large.numbers.end(), 0.5F);
  return large;
}

bool comes_back(BytesPool& pool, const Large& large) {
  return value_of(pool.run(EchoLarge{large})) == large;
}

// Takes the worker's only thread.
struct Busy {
  explicit Busy(BytesPool& pool) : pid(value_of(pool.run(AskHoldings{})).pid) {
    REQUIRE(::kill(pid, SIGSTOP) == 0);
  }
  void let_go() const { REQUIRE(::kill(pid, SIGCONT) == 0); }
  const pid_t pid;
};

}  // namespace

// Fault value.sizes (one call)
TEST_CASE("large strings and vectors come back as they were sent") {
  const LeakCheck leaks;
  const bool in_ring = GENERATE(false, true);
  INFO(in_ring);
  BytesPool pool{{.workers = 1, .bytes = in_ring ? all_in_ring : BytesLimits{}}};
  for (const std::size_t size : {256 * 1024UL - 4, 256 * 1024UL, 256 * 1024UL + 4, mib, 17 * mib})
    CHECK(comes_back(pool, large_of(size)));
  CHECK(comes_back(pool, {.several = std::vector<std::string>(40, text_of(300'000))}));
  CHECK(pool.stats().crashes == 0);
}

// Fault value.bytes (one call)
TEST_CASE("the memory that large strings travel in is used again") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  const Large large{.text = text_of(mib)};
  CHECK(comes_back(pool, large));
  CHECK(comes_back(pool, large));
  const auto app = holdings(), worker = value_of(pool.run(AskHoldings{}));
  for (int i = 0; i < 20; ++i) CHECK(comes_back(pool, large));
  CHECK(holdings().mappings == app.mappings);
  CHECK(holdings().descriptors == app.descriptors);
  CHECK(value_of(pool.run(AskHoldings{})).mappings == worker.mappings);
}

// Fault value.bytes-exhausted (one call, many calls)
TEST_CASE("many large strings that wait take few descriptors of the app") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  const Large large{.text = text_of(300'000)};
  const Busy busy(pool);
  const std::uint64_t before = holdings().descriptors;
  std::vector<Future<Large>> calls;
  for (int i = 0; i < 300; ++i) calls.push_back(pool.run(EchoLarge{large}));
  CHECK(holdings().descriptors <= before + 64);
  busy.let_go();
  for (auto& call : calls) CHECK(value_of(std::move(call)) == large);
}

// Fault value.bytes-exhausted (one call)
TEST_CASE("large strings get through where there is no shared memory or descriptor for them") {
  const LeakCheck leaks;
  const Large large = large_of(mib);
  BytesPool little{{.workers = 1, .bytes = {.alive = mib / 2}}};
  CHECK(comes_back(little, large));

  BytesPool pool{{.workers = 1}};
  value_of(pool.run(TakeDescriptors{}));
  for (int i = 0; i < 3; ++i) CHECK(comes_back(pool, large));
  CHECK(pool.stats().crashes == 0);

  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const bool came_back = comes_back(pool, large);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(came_back);
}

// Fault crash.bytes (one call)
TEST_CASE("a request with large strings is tried again with them") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  const Large large = large_of(mib);
  const Busy busy(pool);
  auto call = pool.run(EchoLarge{large});
  REQUIRE(::kill(busy.pid, SIGKILL) == 0);
  CHECK(value_of(std::move(call)) == large);
}

// Fault value.too-large (one call)
TEST_CASE("what is beside a message counts for max_message") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1, .max_message = 2 * mib}};
  CHECK(comes_back(pool, {.text = text_of(2 * mib - 24)}));
  const Error error = error_of(pool.run(EchoLarge{{.text = text_of(2 * mib - 23)}}));
  INFO(error.what());
  CHECK(error.code() == errc::message_too_large);
  CHECK(mentions(error, std::to_string(2 * mib + 1) + " bytes"));
}

// Fault hostile.bytes (one call)
TEST_CASE("a worker that forges large strings is ended, and its call fails") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  const Bytes bytes = Bytes::copy_of(std::vector<std::byte>(mib));
  CHECK(value_of(pool.run(ForgeBlocks{BadBlock::none, bytes})).text == std::string(mib, '\0'));
  for (int i = 1; i < static_cast<int>(BadBlock::count); ++i) {
    INFO(i);
    const Error error = error_of(pool.run(ForgeBlocks{static_cast<BadBlock>(i), bytes}));
    INFO(error.what());
    REQUIRE(error.code() == errc::worker_crashed);
    REQUIRE(error.crash());
    CHECK(error.crash()->cause == Cause::protocol_violation);
  }
  BytesPool small{{.workers = 1, .max_message = mib / 2}};
  const Error error = error_of(small.run(ForgeBlocks{}));
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::protocol_violation);
  CHECK(comes_back(pool, large_of(mib)));
}
