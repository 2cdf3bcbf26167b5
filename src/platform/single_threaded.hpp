// Whether this process has one thread only.
#pragma once

#include <sys/single_threaded.h>

namespace bulkhead::platform {

// One load. While it is true nobody but the caller can make a second thread; it may stay false when
// others have ended.
inline bool single_threaded() noexcept { return __libc_single_threaded; }

}  // namespace bulkhead::platform
