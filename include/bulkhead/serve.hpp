// The worker's side: which function answers which request.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "bulkhead/detail/contract.hpp"
#include "bulkhead/detail/handlers.hpp"
#include "bulkhead/service.hpp"

namespace bulkhead {

// All of these run in the worker's program, on its main thread.
struct ServeOptions {
  // Once, before any worker is forked: what it loads, all workers share. It must leave no thread.
  std::function<void()> preload = {};
  // Once in every worker, before it reports ready.
  std::function<void()> warm_up = {};
  // Once in every worker that was asked to leave, before it ends.
  std::function<void()> on_exit = {};
};

// A handler's view of the request it answers; valid while the handler runs.
class Context {
 public:
  explicit Context(std::uint64_t request_id) noexcept : request_id_(request_id) {}
  // The call's number in the app: the same that errors and crash reports name.
  std::uint64_t request_id() const noexcept { return request_id_; }

 private:
  std::uint64_t request_id_;
};

namespace detail {

// True in a process that was launched to serve `service`. Notes that this service is offered here.
bool launched_to_serve(std::string_view service);
// Serves until told to stop.
[[noreturn]] void serve(const Contract& contract, const ServeOptions& options,
                        std::unique_ptr<Dispatcher> dispatcher);
// Ends a process that is only ever a worker, but was not launched to serve `contract`.
[[noreturn]] void refuse_to_serve(const Contract& contract);

}  // namespace detail

// In a process launched as a worker of S this serves until told to stop, and never returns.
// In any other process it does nothing. To be called first in main, before any thread is started.
template <class S, class... Handlers>
void serve_if_worker(const ServeOptions& options, Handlers&&... handlers) {
  const detail::Contract& contract = detail::contract_of<S>();
  if (detail::launched_to_serve(contract.service))
    detail::serve(contract, options,
                  detail::make_dispatcher<S>(std::forward<Handlers>(handlers)...));
}

template <class S, class... Handlers>
requires(!std::is_same_v<ServeOptions, std::remove_cvref_t<Handlers>> &&
         ...) void serve_if_worker(Handlers&&... handlers) {
  serve_if_worker<S>(ServeOptions{}, std::forward<Handlers>(handlers)...);
}

// For a program that is only ever a worker. Started by anything but Bulkhead, it prints what it is
// and how it is meant to be started, and exits with 64.
template <class S, class... Handlers>
[[noreturn]] void serve(const ServeOptions& options, Handlers&&... handlers) {
  serve_if_worker<S>(options, std::forward<Handlers>(handlers)...);
  detail::refuse_to_serve(detail::contract_of<S>());
}

template <class S, class... Handlers>
requires(!std::is_same_v<ServeOptions, std::remove_cvref_t<Handlers>> && ...)
    [[noreturn]] void serve(Handlers&&... handlers) {
  serve<S>(ServeOptions{}, std::forward<Handlers>(handlers)...);
}

}  // namespace bulkhead
