// Bytes through real processes: there and back, kept, and recycled.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <thread>

#include "faults/bytes_calls.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

Holdings holdings_of(BytesPool& pool) { return value_of(pool.run(AskHoldings{})); }

}  // namespace

// Fault value.bytes (one call): buffers are large or small, empty, in containers, sent often.
// Then: both sides read them in place from 64 KiB on, and they are what was sent.
TEST_CASE("bytes of every size come back as they were sent") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  BytesPool pool = pool_of<BytesService>(kind, {.workers = 1});
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65535},
                                 std::size_t{65536}, std::size_t{65537}, large, 33 * large}) {
    INFO(size);
    const Bytes sent = filled(pool, size, 'a');
    const Bytes back = value_of(pool.run(EchoBytes{sent}));
    CHECK(holds(back, size, 'a'));
    CHECK((size >= 65536) == (size != 0 && back.data() == sent.data()));  // not copied
    CHECK(holds(value_of(pool.run(MakeBytes{.size = size, .value = 'b'})), size, 'b'));
    CHECK(holds(value_of(pool.run(MakeBytes{.size = size, .value = 'c', .own = true})), size, 'c'));
  }
}

// Fault value.bytes (one call)
TEST_CASE("bytes travel in containers, and the same ones several times") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  BytesPool pool = pool_of<BytesService>(kind, {.workers = 1});
  const Bytes one = filled(pool, large, '1'), two = Bytes::copy_of(filled(pool, 10, '2').span());
  const auto back = value_of(pool.run(EchoSeveral{{{one, two, one, Bytes()}, one}}));
  REQUIRE(back.list.size() == 4);
  CHECK(back.list[0].data() == one.data());
  CHECK(holds(back.list[1], 10, '2'));
  CHECK(holds(back.list[2], large, '1'));
  CHECK(back.list[3].empty());
  REQUIRE(back.maybe);
  CHECK(holds(*back.maybe, large, '1'));
}

// Fault value.bytes (many calls)
TEST_CASE("one buffer is sent to many workers at once") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  BytesPool pool = pool_of<BytesService>(kind, {.workers = 3});
  BytesWorker other = BytesWorker::start();
  const Bytes bytes = filled(pool, large, 'x');
  std::vector<Future<Bytes>> calls;
  for (int i = 0; i < 200; ++i) {
    calls.push_back(pool.run(EchoBytes{bytes}));
    if (i % 10 == 0) calls.push_back(other.run(EchoBytes{bytes}));
  }
  for (auto& call : calls) CHECK(value_of(std::move(call)).data() == bytes.data());
}

// Fault value.bytes (many calls)
TEST_CASE("what a worker made is sent on to others and back to it") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  BytesPool pool = pool_of<BytesService>(kind, {.workers = 2});
  BytesWorker maker = BytesWorker::start();
  const Bytes made = value_of(maker.run(MakeBytes{.size = large, .value = 'm'}));
  for (int i = 0; i < 5; ++i) {
    CHECK(value_of(maker.run(EchoBytes{made})).data() == made.data());
    CHECK(value_of(pool.run(EchoBytes{made})).data() == made.data());
  }
}

// Fault value.bytes (one call)
TEST_CASE("a worker sends bytes on to a worker of its own") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  for (const char value : {'a', 'b', 'c'})
    CHECK(holds(value_of(pool.run(NestBytes{filled(pool, large, value)})), large, value));
}

// Fault value.bytes-kept: a handler keeps a buffer beyond its call; an app beyond its pool.
// Then: it stays as it was.
TEST_CASE("what a handler keeps beyond its call never changes") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  BytesPool pool = pool_of<BytesService>(kind, {.workers = 1});
  value_of(pool.run(KeepBytes{filled(pool, large, '1')}));
  for (const char value : {'2', '3', '4'})
    value_of(pool.run(EchoBytes{filled(pool, large, value)}));
  CHECK(holds(value_of(pool.run(KeptBytes{})), large, '1'));
}

// Fault value.bytes-kept
TEST_CASE("bytes outlive their pool and the worker that made them") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  Bytes sent, made;
  {
    BytesPool pool = pool_of<BytesService>(kind, {.workers = 1});
    sent = filled(pool, large, 's');
    value_of(pool.run(KeepBytes{sent}));
    made = value_of(pool.run(MakeBytes{.size = large, .value = 'm'}));
  }
  CHECK(holds(sent, large, 's'));
  CHECK(holds(made, large, 'm'));
  BytesPool another = pool_of<BytesService>(kind, {.workers = 1});
  CHECK(holds(value_of(another.run(EchoBytes{made})), large, 'm'));
}

// Fault value.bytes-kept (idle, one call, many calls)
TEST_CASE("bytes of workers that died stay as they were, whatever their pool has to do") {
  const LeakCheck leaks;
  const int calls = GENERATE(0, 1, 20);
  INFO(calls << " calls");
  std::vector<Bytes> kept;
  {
    BytesPool pool{{.workers = 2, .restart = {.count = 0}}};
    for (const char value : {'a', 'b', 'c', 'd'})
      kept.push_back(value_of(pool.run(MakeBytes{.size = large, .value = value})));
    std::vector<Future<Bytes>> dying, running;
    for (int i = 0; i < calls; ++i) {
      dying.push_back(pool.run(DieWithBytes{kept[0], "", i % 2 == 0}));
      running.push_back(pool.run(EchoBytes{kept[1]}));
    }
    if (calls == 0) {
      ::kill(value_of(pool.run(AskHoldings{})).pid, SIGKILL);
      CHECK(wait_until([&] { return pool.stats().crashes == 1; }));
    }
    for (auto& call : dying) CHECK(error_of(std::move(call)).crash());
    for (auto& call : running) try {
        CHECK(holds(value_of(std::move(call)), large, 'b'));
      } catch (const Error& error) {
        CHECK(error.crash());
      }
  }
  for (std::size_t i = 0; i < kept.size(); ++i)
    CHECK(holds(kept[i], large, static_cast<char>('a' + i)));
}

// Fault value.bytes-reused: thousands of buffers come and go.
// Then: their memory is used again, without a page fault or a system call; never by another worker.
TEST_CASE("a second buffer of the same size causes no page fault on either side") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  const auto round = [&] {
    CHECK(holds(value_of(pool.run(EchoBytes{filled(pool, 8 * large, 'a')})), 8 * large, 'a'));
    CHECK(holds(value_of(pool.run(MakeBytes{.size = 8 * large, .value = 'b'})), 8 * large, 'b'));
  };
  for (int i = 0; i < 3; ++i) round();
  const std::uint64_t own = holdings().faults, worker = holdings_of(pool).faults;
  for (int i = 0; i < 10; ++i) round();
  // One round anew would be 4096 of them. Some belong to looking.
  CHECK(holdings().faults - own < 500);
  CHECK(holdings_of(pool).faults - worker < 500);
}

// Fault value.bytes-reused
TEST_CASE("memory and descriptors stay flat over thousands of buffers") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  const auto round = [&](int i) {
    const auto size = large / 8 * static_cast<std::size_t>(1 + i % 5);
    const auto value = static_cast<char>(i);
    CHECK(holds(value_of(pool.run(EchoBytes{filled(pool, size, value)})), size, value));
    const Bytes copy = Bytes::copy_of(filled(pool, size, value).span());
    CHECK(holds(value_of(pool.run(EchoBytes{copy})), size, value));
    const bool own = i % 2 == 0;
    const MakeBytes make{.size = size, .value = value, .own = own};
    CHECK(holds(value_of(pool.run(make)), size, value));
    if (i % 10 == 0) CHECK_THROWS(value_of(pool.run(MakeBytes{.size = size, .throws = true})));
  };
  for (int i = 0; i < 50; ++i) round(i);
  const auto flat = [&](const Holdings& now, const Holdings& before) {
    return now.mappings <= before.mappings + 6 && now.descriptors <= before.descriptors + 6;
  };
  const Holdings own = holdings(), worker = holdings_of(pool);
  for (int i = 0; i < 1500; ++i) round(i);
  CHECK(wait_until([&] { return flat(holdings(), own) && flat(holdings_of(pool), worker); }));
}

// Fault value.bytes-reused
TEST_CASE("no worker sees what was written for another, nor what is written later") {
  const LeakCheck leaks;
  BytesWorker one = BytesWorker::start(), two = BytesWorker::start();
  value_of(one.run(KeepBytes{filled(one, large, 's')}));
  // In memory that the first one has: the other gets a copy.
  const Bytes secret = filled(one, large, 't');
  CHECK(holds(value_of(two.run(EchoBytes{secret})), large, 't'));
  // What the first one made, the other does not find in what it makes.
  value_of(one.run(MakeBytes{.size = large, .value = 'u'}));
  CHECK(holds(value_of(two.run(MakeBytes{.size = large, .fill = false})), large, '\0'));
}

// Fault value.bytes-reused
TEST_CASE("buffers that nobody has are unmapped by those who had them") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1, .bytes = {.kept = 0}}};
  value_of(pool.run(EchoBytes{filled(pool, large, 'a')}));
  value_of(pool.run(MakeBytes{.size = large}));
  CHECK(wait_until([&] { return holdings_of(pool).mappings == 0 && holdings().mappings == 0; }));
}

TEST_CASE("bytes are copied from memory and read from files") {
  const TempDir folder;
  const auto path = folder / "file";
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, large + 1}) {
    std::ofstream(path) << std::string(size, 'f');
    CHECK(holds(Bytes::from_file(path), size, 'f'));
  }
  CHECK_THROWS_WITH(Bytes::from_file(folder / "none"), Catch::Contains("none"));
  CHECK_THROWS_AS(Bytes::from_file("/tmp"), std::system_error);
  CHECK(holds(Bytes::copy_of({}), 0, 'x'));
}

// Fault value.bytes (many calls)
TEST_CASE("many threads send and receive bytes at once") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const unsigned handlers = GENERATE(1u, 3u);
  BytesPool pool = pool_of<BytesService>(kind, {.workers = 2}, handlers);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const auto value = static_cast<char>('a' + t + i % 3);
        const Bytes back = pool.run(EchoBytes{filled(pool, 100'000, value)}).get();
        const Bytes made = pool.run(MakeBytes{.size = 100'000, .value = value}).get();
        right += holds(back, 100'000, value) && holds(made, 100'000, value);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 400);
  CHECK(pool.stats().crashes == 0);
}

// Fault host.forks
TEST_CASE("a fork of the app that lets bytes go takes nothing from it") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  const MakeBytes make{.size = large, .value = 'm'};
  Bytes sent = filled(pool, large, 's'), made = value_of(pool.run(make));
  value_of(pool.run(EchoBytes{sent}));
  CHECK(in_child([&] {
          expect(holds(sent, large, 's') && holds(made, large, 'm'));
          sent = made = {};
        }) == 0);
  for (int i = 0; i < 3; ++i) {
    value_of(pool.run(EchoBytes{filled(pool, large, 'x')}));
    value_of(pool.run(MakeBytes{.size = large, .value = 'y'}));
  }
  CHECK(holds(sent, large, 's'));
  CHECK(holds(made, large, 'm'));
}
