// The application's standard input, output and error: descriptors 0 to 2, if it has them. Where it
// was started with one of them closed, its number goes to whatever the application opens next,
// which is none of ours.
#pragma once

#include <array>
#include <string_view>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// Whether `number` was open when the program started, and each time that it was looked at.
bool has_stdio(int number) noexcept;
// Looks at them. What is found closed once counts as absent from then on.
void note_closed_stdio() noexcept;

// Writes to standard output or error if the application has it, and never waits: what finds no room
// is dropped. May raise SIGPIPE: for threads that block it.
void write_stdio(int number, std::string_view text) noexcept;

// While it lives, no descriptor that anybody makes is 0, 1 or 2. For libraries that do not move
// theirs.
class StdioHeld {
 public:
  StdioHeld() noexcept;

 private:
  std::array<Fd, 3> held_;
};

}  // namespace bulkhead::platform
