// Waiting for a word of memory to change. The app never waits at memory that another process can
// write, which could move the waiter to another word, so that the wake-up would be lost.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace bulkhead::platform {

// Sleeps while `word` holds `expected`. True when woken, for whatever reason, or when the word
// differs: look at it again. False once `deadline` has passed; without one it waits for ever.
enum class Sharing { threads, processes };  // whose memory it is
bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                std::optional<std::chrono::steady_clock::time_point> deadline,
                Sharing sharing = Sharing::threads);

void futex_wake_all(const std::atomic<std::uint32_t>& word,
                    Sharing sharing = Sharing::threads) noexcept;

}  // namespace bulkhead::platform
