// Small questions to the system, and signals by name and to groups.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace bulkhead::platform {

// The path of this process's program as it was started; it may be gone by now.
std::string own_executable();

// "SIGSEGV", or "signal 99".
std::string signal_name(int number);

// To every process of the group that `leader`, a child that has not been reaped, was made to lead.
void signal_group(pid_t leader, int number) noexcept;

// Writes to a descriptor of the application's, and never waits: what finds no room is dropped.
void write_if_ready(int fd, std::string_view text) noexcept;

}  // namespace bulkhead::platform
