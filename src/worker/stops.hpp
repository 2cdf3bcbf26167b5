// Tells the tokens of handlers that their calls are to end, on a thread of its own, which starts
// with the first and sleeps until the app counts another stop. Thread safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "bulkhead/context.hpp"

namespace bulkhead::worker {

class Stops {
 public:
  // `count`: how often the app has asked any handler to stop.
  explicit Stops(std::atomic<std::uint32_t>& count) : count_(count) {}
  ~Stops();
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
  void keep_looking();

  std::atomic<std::uint32_t>& count_;
  std::atomic<bool> ending_ = false;
  std::mutex mutex_;
  // guarded by mutex_
  std::vector<Call*> watched_;
  std::thread looks_;
};

}  // namespace bulkhead::worker
