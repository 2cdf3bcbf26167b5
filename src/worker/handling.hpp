// One request while a handler has it: what its Context gives, and its answer.
#pragma once

#include "bulkhead/context.hpp"
#include "bulkhead/detail/buffer.hpp"
#include "bulkhead/detail/dispatcher.hpp"
#include "rpc/worker_blobs.hpp"
#include "rpc/worker_end.hpp"
#include "worker/progress.hpp"
#include "worker/stops.hpp"

namespace bulkhead::worker {

// What handlers need besides their requests. Thread safe.
struct Helpers {
  explicit Helpers(rpc::WorkerEnd& app) : stops(app.stops()), progress(app) {}
  Stops stops;
  Progress progress;
};

// For whoever runs the handler, one thread at a time. Refers to the request.
class Handling {
 public:
  Handling(rpc::WorkerEnd& app, Helpers& helpers, const rpc::WorkerEnd::Request& request)
      : app_(app),
        request_(request),
        bytes_(app.blobs()),
        stop_(app.stop_of(request)),
        tokens_(helpers.stops, stop_),
        values_(helpers.progress, request),
        context_(request.head.id, &bytes_, with_tokens(), &values_) {}
  Handling(const Handling&) = delete;
  Handling& operator=(const Handling&) = delete;

  Context& context() { return context_; }

  // Runs a plain handler, and answers. False when the app is gone.
  [[nodiscard]] bool serve(detail::Dispatcher& dispatcher, detail::Buffer& response);

  // The same by steps. Behind the handler's last act, which has packed its response.
  void finish() { bytes_.finish(); }
  // Then either; false when the app is gone.
  [[nodiscard]] bool answer(const detail::Buffer& response);
  // In a handler for what was thrown until then.
  [[nodiscard]] bool answer_exception();

 private:
  const detail::HandlerStop& with_tokens() {
    stop_.teller = &tokens_;
    return stop_;
  }

  rpc::WorkerEnd& app_;
  const rpc::WorkerEnd::Request& request_;
  rpc::WorkerBlobs::Call bytes_;
  detail::HandlerStop stop_;
  Stops::Call tokens_;
  Progress::Call values_;
  Context context_;
};

}  // namespace bulkhead::worker
