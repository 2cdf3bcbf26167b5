#include "platform/random.hpp"

#include <sys/random.h>

#include <cerrno>

#include "platform/fd.hpp"

namespace bulkhead::platform {

std::array<std::uint64_t, 2> random_128() {
  std::array<std::uint64_t, 2> number{};
  // So few bytes come all at once; only waiting for the first entropy after boot is interruptible.
  while (::getrandom(number.data(), sizeof number, 0) != sizeof number)
    if (errno != EINTR) throw_errno("cannot get random bytes from the kernel");
  return number;
}

}  // namespace bulkhead::platform
