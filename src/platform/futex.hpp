// Waiting for a word of this process's own memory to change. Never used on memory that another
// process can write: it could move the waiter to another word, and the wake-up would be lost.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace bulkhead::platform {

// Sleeps while `word` holds `expected`. True when woken, for whatever reason, or when the word
// differs: look at it again. False once `deadline` has passed; without one it waits for ever.
bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                std::optional<std::chrono::steady_clock::time_point> deadline);

void futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept;

}  // namespace bulkhead::platform
