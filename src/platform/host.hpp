// Small questions to the system.
#pragma once

#include <string>

namespace bulkhead::platform {

// The path of this process's program as it was started; it may be gone by now.
std::string own_executable();
// The file that holds this code: the shared library, or the program it is linked into.
std::string own_library();

// "SIGSEGV", or "signal 99".
std::string signal_name(int number);

}  // namespace bulkhead::platform
