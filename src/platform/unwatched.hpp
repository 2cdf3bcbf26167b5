// For the thread sanitizer, which knows descriptors by the calls that open them, and does not know
// all of those. One that was duplicated, or opened by a library, looks to it as if its number's
// last owner, in another thread, were racing.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BULKHEAD_UNWATCHED 1
#endif
#endif

#ifdef BULKHEAD_UNWATCHED
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);
#endif

namespace bulkhead::platform {

// While it lives, this thread may close such descriptors.
struct Unwatched {
#ifdef BULKHEAD_UNWATCHED
  Unwatched() { AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }
  ~Unwatched() { AnnotateIgnoreWritesEnd(__FILE__, __LINE__); }
#else
  Unwatched() {}
#endif
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;
};

}  // namespace bulkhead::platform
