// Marks functions that run where a sanitizer's run-time must not: in a child that shares the
// parent's memory, on a stack that the sanitizer does not know.
#pragma once

#if defined(__clang__)
#define BULKHEAD_UNSANITIZED \
  __attribute__((noinline, no_sanitize("address", "undefined"), disable_sanitizer_instrumentation))
#else
#define BULKHEAD_UNSANITIZED \
  __attribute__((noinline, no_sanitize("address", "thread", "undefined")))
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BULKHEAD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define BULKHEAD_SANITIZED 1
#endif
#endif
#ifndef BULKHEAD_SANITIZED
#define BULKHEAD_SANITIZED 0
#endif
