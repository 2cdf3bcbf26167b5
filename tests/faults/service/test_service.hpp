// The service that the fault tests call. Their own program serves it, and so does test_worker.
#pragma once

#include "faults/service/harm.hpp"
#include "faults/service/hostile_requests.hpp"
#include "faults/service/kinds.hpp"
#include "faults/service/memory_requests.hpp"
#include "faults/service/requests.hpp"

namespace bulkhead::test {

struct TestService
    : Service<"test", Echo, Add, Nothing, Double, Answer, Block, BlockAgain, Linger, Compute, Note,
              LookAround, WhoAmI, Say, Flood, Die, Poison, Inject, Throw, Trouble, Start, Grab,
              Leak, Nest, Forge, SendForged, Scribble, KeepScribbling, CloseDoorbell, FloodDoorbell,
              Hurt, KillSiblings, ShrinkMemory, PunchHoles> {};

// Others that a program may have been built from.
struct NewerTestService : TestService {
  static constexpr std::uint32_t version = 7;
};
struct ShorterTestService : Service<"test", Echo> {};
struct OtherService : Service<"other", Echo> {};
// A second one that the same program serves.
struct SecondService : Service<"second", Echo> {};
// What test_module serves.
struct ModuleService : Service<"module", Echo, LookAround> {};
struct NewerModuleService : ModuleService {
  static constexpr std::uint32_t version = 7;
};

// TEST_THREADS says how many threads serve. What happens besides handlers is told by the
// environment, as WHAT or WHAT=FILE:
//   TEST_BEFORE (before it begins to serve), TEST_PRELOAD, TEST_WARM_UP, TEST_ON_EXIT
//     throw        die           hang
//     thread       start one that stays
//     wait=FILE    until there is FILE
//     die_if=FILE  if there is FILE
//     die_first=FILE  if it is the first to make the folder FILE
//     touch=FILE   make FILE
//     storm        begin_storm()
void serve_if_worker();
[[noreturn]] void serve();
[[noreturn]] void serve_newer();

template <>
Pool<TestService> pool_of_threads<TestService>(const PoolOptions& options,
                                               const ServeOptions& serve);

}  // namespace bulkhead::test
