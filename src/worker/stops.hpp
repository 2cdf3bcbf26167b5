// Tells the tokens of handlers that their calls are to end, on a thread of its own, which starts
// with the first and sleeps until the app counts another stop. Thread safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "bulkhead/context.hpp"

namespace bulkhead::worker {

class Stops {
 public:
  // `count`: how often the app has asked any handler to stop. Both must outlive the process's
  // threads: nothing ends the one that looks.
  explicit Stops(const std::atomic<std::uint32_t>& count) : count_(count) {}
  Stops(const Stops&) = delete;
  Stops& operator=(const Stops&) = delete;

  // The token of one call, if its handler asks for one. For the thread that runs it.
  class Call final : public detail::HandlerStop::Teller {
   public:
    Call(Stops& stops, const detail::HandlerStop& stop) : stops_(stops), stop_(stop) {}
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    std::stop_token token() override;

   private:
    friend class Stops;
    Stops& stops_;
    const detail::HandlerStop& stop_;
    std::optional<std::stop_source> source_;
  };

 private:
  void watch(Call& call);
  void forget(const Call& call);
  void look();
  [[noreturn]] void keep_looking();

  const std::atomic<std::uint32_t>& count_;
  std::mutex mutex_;
  // guarded by mutex_
  std::vector<Call*> watched_;
  bool looking_ = false;
};

}  // namespace bulkhead::worker
