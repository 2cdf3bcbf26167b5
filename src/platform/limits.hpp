// What the kernel lets this process, and each that it starts from then on, take for itself.
#pragma once

#include <cstdint>
#include <string>

namespace bulkhead::platform {

enum class Resource { memory, cpu, open_files, file_size, processes, core };

// "RLIMIT_AS".
std::string limit_name(Resource resource);

// As Sandbox says what the value is. Never more than what is allowed already. Throws
// std::system_error.
void limit(Resource resource, std::uint64_t value);

// Limits it, and tries to pass that where this costs nothing: false if it can. Never throws. For a
// process that ends after this.
bool limit_holds(Resource resource, std::uint64_t value) noexcept;

// Core dumps are handed to a program, whatever their size.
bool pipes_core_dumps();

}  // namespace bulkhead::platform
