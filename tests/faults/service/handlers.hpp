// How the requests are served.
#pragma once

#include <atomic>
#include <filesystem>

#include "faults/service/test_service.hpp"

namespace bulkhead::test {

std::string echo(Echo request);
int add(const Add& request);
void nothing(const Nothing&);
std::unique_ptr<int> twice(Double request);
std::string answer(const Answer& request);
pid_t block(const Block& request);
pid_t linger(const Linger& request);
void compute(const Compute& request);
void note(const Note& request);
pid_t block_again(const BlockAgain& request);
View look_around(const LookAround&);
std::pair<pid_t, std::uint64_t> who_am_i(const WhoAmI&, Context& context);
void say(const Say& request);
[[noreturn]] void flood(const Flood& request);
void die(const Die& request);
void poison(const Poison& request);
void inject(const Inject& request);
void throw_it(const Throw& request);
Troubled trouble(const Trouble& request);
pid_t start(const Start& request);
std::vector<pid_t> nest(const Nest& request);
std::uint64_t grab(const Grab& request);
void leak(const Leak& request);

Forged forge(const Forge& request);
void send_forged(const SendForged& request, Context& context);
void scribble(const Scribble& request);
void keep_scribbling(const KeepScribbling& request);
void close_doorbell(const CloseDoorbell&);
std::uint64_t flood_doorbell(const FloodDoorbell& request);

std::vector<std::string> shrink_memory(ShrinkMemory request);
void punch_holes(PunchHoles request);

Harmed hurt(Hurt request);
void kill_siblings(const KillSiblings& request);

// Puts `text` into the file in one step: who sees the file sees all of it.
void put(const std::filesystem::path& file, const std::string& text);
[[noreturn]] void wait_for_ever();
// From now on a signal comes ten thousand times a second (under a sanitizer a thousand), and
// interrupts whatever waits. How many have come.
const std::atomic<int>& begin_storm();
// However long that takes: these processes are killed when nobody needs them any more.
void wait_for(const std::filesystem::path& file);

}  // namespace bulkhead::test
