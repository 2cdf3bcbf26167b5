// Memory in large pages: touching fresh memory in small ones costs several times as much as filling
// it.
#pragma once

#include <cstddef>

namespace bulkhead::platform {

// Asks for them where they fit into [memory, memory + bytes), which is about to be filled. A hint:
// where the system has none, nothing changes. Small blocks are left as they are.
void use_large_pages(void* memory, std::size_t bytes) noexcept;

}  // namespace bulkhead::platform
