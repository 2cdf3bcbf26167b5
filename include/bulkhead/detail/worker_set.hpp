// The compiled part of Pool and Worker, seen from their templates: calls go in, with types erased.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bulkhead/detail/call.hpp"
#include "bulkhead/detail/codec.hpp"
#include "bulkhead/detail/export.hpp"
#include "bulkhead/error.hpp"
#include "bulkhead/future.hpp"
#include "bulkhead/run_options.hpp"

namespace bulkhead {

struct Containment;
struct PoolOptions;
struct PoolStats;
struct ShutdownReport;
struct WorkerOptions;

namespace detail {

// A start that may be called off.
class Start {
 public:
  virtual ~Start() = default;
  // From any thread. Nothing where it is over.
  virtual void call_off() = 0;
};

// The processes of one Pool, or of one Worker. Thread safe. Destroying it kills them.
class WorkerSet {
 public:
  virtual ~WorkerSet() = default;
  // Once, at first. `told`, by the library's own thread: why it failed, when nothing is left of it,
  // or null, when they are ready.
  virtual void start(std::function<void(std::exception_ptr)> told) = 0;
  virtual std::weak_ptr<Start> starting() const = 0;
  // The call will be settled. Never throws Error. `options`, if any, are needed until it returns.
  virtual void submit(std::shared_ptr<Call> call, const RunOptions* options) = 0;
  // Settles a call that is not to be submitted: it counts as one that failed.
  virtual void turn_away(Call& call, std::exception_ptr why) = 0;
  // Where completion handlers run that do not say where.
  virtual boost::asio::any_io_executor executor() const = 0;
  virtual MutableBytes make_bytes(std::size_t size) = 0;
  // As BytesCarrier has it.
  virtual MutableBytes make_block(std::size_t size) = 0;
  virtual PoolStats stats() const = 0;
  virtual void clear_quarantine(const std::string& key) = 0;
  // For Call::only_for.
  virtual std::vector<std::uint64_t> ready_workers() const = 0;
  virtual void reload() = 0;
  virtual ShutdownReport shutdown(std::chrono::milliseconds grace) = 0;
  // The same without waiting. `told`, at once or by the library's own thread.
  virtual void shutdown(std::chrono::milliseconds grace,
                        std::function<void(ShutdownReport)> told) = 0;
  virtual Containment containment() const = 0;
  // Of a Worker's only process.
  virtual std::optional<CrashReport> crash() const = 0;
  virtual bool alive() const = 0;
  virtual pid_t pid() const = 0;
};

// Return when the workers are ready; throw Error if none is, std::invalid_argument for bad options.
BULKHEAD_API std::unique_ptr<WorkerSet> start_pool(const Contract& contract,
                                                   const PoolOptions& options);
BULKHEAD_API std::unique_ptr<WorkerSet> start_worker(const Contract& contract,
                                                     const WorkerOptions& options);
// The same before its start() is begun.
BULKHEAD_API std::unique_ptr<WorkerSet> prepare_worker(const Contract& contract,
                                                       const WorkerOptions& options);

// What a call fails with when its own serialize threw `cause` in the app.
BULKHEAD_API std::exception_ptr codec_failure(const RequestType& type, const char* what,
                                              std::exception_ptr cause) noexcept;

// Packs a request of `workers`: which handles it gets is known when it is given to one.
class BULKHEAD_API RequestBytes final : public BytesCarrier, private ChannelCarrier {
 public:
  RequestBytes(Call& call, WorkerSet& workers) : call_(call), workers_(workers) {}
  std::optional<BytesHandle> attach(const Bytes& bytes, std::size_t at) override;
  MutableBytes make_block(std::size_t size) override;
  Bytes resolve(const BytesHandle& handle) override;
  Bytes resolve_block(const BytesHandle& handle) override { return resolve(handle); }
  ChannelCarrier* channels() override { return this; }

 private:
  std::uint64_t attach_end(std::shared_ptr<ChannelEnd> end) override;
  std::shared_ptr<ChannelEnd> resolve_end(std::uint64_t id, Side side) override;

  Call& call_;
  WorkerSet& workers_;
};

// So that packing a small request grows it once.
constexpr std::size_t usual_request = 128;

// For calls of `workers`, if there are any.
inline MutableBytes make_bytes(WorkerSet* workers, std::size_t size) {
  return workers ? workers->make_bytes(size) : make_bytes(size);
}

// Before it is packed. Why it is not to be begun, if so.
BULKHEAD_API std::exception_ptr begin_steering(Call& call, const RunOptions& options,
                                               std::unique_ptr<ProgressBox> progress = {});
// Once it has its source; a second time is nothing.
BULKHEAD_API void follow(const std::shared_ptr<Call>& call, const std::stop_token& stop);

// Packs the request on the calling thread, and hands the call over, which will be settled.
template <class Response, class Request>
void hand_over(const std::shared_ptr<TypedCall<Response>>& call, WorkerSet* workers,
               const Request& request, const RunOptions* options,
               std::unique_ptr<ProgressBox> progress = {}) {
  if (!workers)
    return call->settle(std::make_exception_ptr(
        Error(errc::shut_down, "the call has no workers: its owner is empty or moved from")));
  std::exception_ptr objection;
  try {
    call->request.reserve(usual_request);
    if (options) objection = begin_steering(*call, *options, std::move(progress));
    RequestBytes bytes(*call, *workers);
    if (!objection) encode(call->request, request, &bytes);
  } catch (...) {
    objection = codec_failure(*call->type, "could not be packed", std::current_exception());
  }
  if (objection) return workers->turn_away(*call, std::move(objection));
  workers->submit(call, options);
  if (options) follow(call, options->stop);
}

template <class Response, class Request>
Future<Response> run(WorkerSet* workers, const RequestType& type, const Request& request,
                     const RunOptions* options = nullptr,
                     std::unique_ptr<ProgressBox> progress = {}) {
  auto call = std::allocate_shared<TypedCall<Response>>(Recycled<TypedCall<Response>>(), type);
  hand_over(call, workers, request, options, std::move(progress));
  return Future<Response>(std::move(call));
}

// One for each that is ready.
template <class Response, class Request>
std::vector<Future<Response>> broadcast(WorkerSet* workers, const RequestType& type,
                                        const Request& request, const RunOptions& options) {
  std::vector<Future<Response>> answers;
  if (!workers) return answers;
  for (const std::uint64_t number : workers->ready_workers()) {
    auto call = std::allocate_shared<TypedCall<Response>>(Recycled<TypedCall<Response>>(), type);
    call->only_for = number;
    hand_over(call, workers, request, &options);
    answers.push_back(Future<Response>(std::move(call)));
  }
  return answers;
}

// Values of type P, and the function that they are for.
template <class P>
class TypedProgress final : public ProgressBox {
 public:
  explicit TypedProgress(std::function<void(P)> function) : function_(std::move(function)) {}

 private:
  std::shared_ptr<void> unpack(std::span<const std::byte> packed) const override {
    return std::make_shared<P>(decode<P>(packed));
  }
  void tell(void* value) override { function_(std::move(*static_cast<P*>(value))); }

  const std::function<void(P)> function_;
};

template <class P>
std::unique_ptr<ProgressBox> progress_box(std::function<void(P)> function) {
  if (!function) return nullptr;
  return std::make_unique<TypedProgress<P>>(std::move(function));
}

template <class Response>
void TypedCall<Response>::discard(std::span<const std::byte> response, BytesCarrier* carrier) {
  static_cast<void>(decode<Response>(response, carrier));
}

template <class Response>
void TypedCall<Response>::accept(std::span<const std::byte> response, BytesCarrier* carrier) {
  value_.emplace(decode<Response>(response, carrier));
}

}  // namespace detail
}  // namespace bulkhead
