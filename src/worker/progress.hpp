// The progress values of a worker's handlers on their way to the app. No handler waits for the app:
// where there is no room, a value takes the place of the one before, and a thread of its own, which
// starts when that first happens, sends the latest. What is left when the handler has returned goes
// before the answer. Thread safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "bulkhead/detail/progress.hpp"
#include "rpc/worker_end.hpp"

namespace bulkhead::worker {

class Progress {
 public:
  explicit Progress(rpc::WorkerEnd& app) : app_(app) {}
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // The values of one call.
  class Call final : public detail::HandlerProgress {
   public:
    Call(Progress& progress, const rpc::WorkerEnd::Request& request)
        : progress_(progress),
          request_(request.head),
          wanted_(rpc::WorkerEnd::wants_progress(request)) {}
    ~Call() {
      if (wanted_) static_cast<void>(take());
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    bool wanted() const noexcept override { return wanted_; }
    void send(detail::Buffer value) override;
    // Before the call is answered: sends what is left. False when the app is gone.
    bool finish() { return !wanted_ || send_left(); }

   private:
    friend class Progress;
    bool send_left();
    std::optional<rpc::WorkerEnd::Progress> take();

    Progress& progress_;
    const rpc::Head& request_;
    const bool wanted_;
    std::optional<detail::Buffer> latest_;  // that is not sent; guarded by the mutex
  };

 private:
  void send_later(Call& call);
  std::optional<rpc::WorkerEnd::Progress> take_first();
  void keep_sending();

  rpc::WorkerEnd& app_;
  std::mutex mutex_;
  std::condition_variable some_wait_;
  // guarded by mutex_
  std::vector<Call*> waiting_;  // those that have a latest_
  std::thread sends_;
  bool ending_ = false;
};

}  // namespace bulkhead::worker
