// What shared memory objects need from Linux besides being made and mapped. They are files in a
// directory that is memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/fd.hpp"

namespace bulkhead::platform {

inline constexpr std::string_view shared_memory_directory = "/dev/shm";

// A descriptor of our own for the open file behind `fd`, which stays its owner's.
Fd share_open_file(int fd);

// Opens what `path` names if it is a regular file that we may read, without waiting and without
// following a link; else gives no descriptor.
Fd open_regular_file(const std::string& path) noexcept;

std::uint64_t size_of(const Fd& file);

// Makes `file` this large, and takes all of its memory now. A file that only was made large takes
// memory as it is touched, and SIGBUS ends whoever touches it when there is none left.
// `what` names the file in the error.
void allocate(const Fd& file, std::uint64_t bytes, const std::string& what);

// Whether `path` still leads to `file`: a name may have been removed by someone else.
bool leads_to(const std::string& path, const Fd& file) noexcept;

}  // namespace bulkhead::platform
