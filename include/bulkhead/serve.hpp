/// @file
/// The worker's side: which function answers which request.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "bulkhead/context.hpp"
#include "bulkhead/detail/contract.hpp"
#include "bulkhead/detail/export.hpp"
#include "bulkhead/detail/handlers.hpp"
#include "bulkhead/service.hpp"

namespace bulkhead {

/// How a worker serves. The functions run in its program, on the main thread; what preload or
/// warm_up throws fails the start with errc::start_failed and its text.
struct ServeOptions {
  /// How many handlers run at once in each worker, each on a thread of its own, of which the main
  /// thread is one. With more than one, handlers are called concurrently: all that they share must
  /// bear that, they themselves included. From 1 to 1024.
  unsigned threads = 1;
  /// Once, before any worker is forked: what it loads, all workers share. Where it leaves a thread,
  /// or the program has one when it begins to serve, workers are executed and each runs it.
  std::function<void()> preload = {};
  /// Once in every worker, before it reports ready, within the app's `connect_timeout`.
  std::function<void()> warm_up = {};
  /// Once in every worker that was asked to leave, when all handlers have returned. Afterwards
  /// stdio is flushed; neither destructors nor `atexit` handlers run. Not in one that crashes or is
  /// killed.
  std::function<void()> on_exit = {};
  /// Only where a handler is a coroutine: how many calls each worker has under way at once, those
  /// of plain handlers included. From 1 to 1024; a call that waits takes no thread.
  unsigned concurrency = 256;
};

namespace detail {

// True in a process that was launched to serve `service`. Notes that this service is offered here.
BULKHEAD_API bool launched_to_serve(std::string_view service);
// Serves until told to stop.
[[noreturn]] BULKHEAD_API void serve(const Contract& contract, const ServeOptions& options,
                                     std::unique_ptr<Dispatcher> dispatcher);
// Ends a process that is only ever a worker, but was not launched to serve `contract`. `launch`:
// the function that starts such a worker.
[[noreturn]] BULKHEAD_API void refuse_to_serve(const Contract& contract, const char* launch);

}  // namespace detail

/// In a process launched as a worker of S this serves until told to stop, and never returns.
/// In any other process it does nothing. To be called first in main: what comes before it runs in
/// the worker's program too, and a thread that is started before it makes workers slower to start.
///
/// Each request of S has exactly one handler, called as `Response(Request)` or
/// `Response(Request, Context&)`; it takes the request by value, `const&` or `&&`, and is copied or
/// moved in here. A mistake is a compile error that names it. A handler may throw: its caller gets
/// errc::handler_failed. Services that a program serves besides have a call each.
///
/// A handler may be a coroutine, `boost::asio::awaitable<Response>(Request)` or with a Context&.
/// Then the worker's threads run a boost::asio::io_context, `concurrency` calls are under way at
/// once, and plain handlers keep one of those threads each while they run. The request, the Context
/// and the handler live until the coroutine is gone. Each call has a strand, its
/// `this_coro::executor`. When the call is to stop, its coroutine is cancelled (`terminal`)
/// besides: what it awaits then ends, as a rule with `operation_aborted`.
template <class S, class... Handlers>
void serve_if_worker(const ServeOptions& options, Handlers&&... handlers) {
  const detail::Contract& contract = detail::contract_of<S>();
  if (detail::launched_to_serve(contract.service))
    detail::serve(contract, options,
                  detail::make_dispatcher<S>(std::forward<Handlers>(handlers)...));
}

/// The same with default options.
template <class S, class... Handlers>
requires(!std::is_same_v<ServeOptions, std::remove_cvref_t<Handlers>> &&
         ...) void serve_if_worker(Handlers&&... handlers) {
  serve_if_worker<S>(ServeOptions{}, std::forward<Handlers>(handlers)...);
}

/// As serve_if_worker, for a program that is only ever a worker. Started by anything but Bulkhead,
/// it prints what it is and how it is meant to be started, and exits with 64.
template <class S, class... Handlers>
[[noreturn]] void serve(const ServeOptions& options, Handlers&&... handlers) {
  serve_if_worker<S>(options, std::forward<Handlers>(handlers)...);
  detail::refuse_to_serve(detail::contract_of<S>(), "executable(PROGRAM)");
}

/// The same with default options.
template <class S, class... Handlers>
requires(!std::is_same_v<ServeOptions, std::remove_cvref_t<Handlers>> && ...)
    [[noreturn]] void serve(Handlers&&... handlers) {
  serve<S>(ServeOptions{}, std::forward<Handlers>(handlers)...);
}

namespace detail {

template <class S, class... Arguments>
[[noreturn]] void serve_module(Arguments&&... arguments) {
  serve_if_worker<S>(std::forward<Arguments>(arguments)...);
  refuse_to_serve(contract_of<S>(), "module(LIBRARY)");
}

}  // namespace detail
}  // namespace bulkhead

/// At namespace scope of a shared library: makes it a module that serves `service`, with handlers,
/// or with ServeOptions and handlers, as serve() takes them. The program bulkhead-worker loads it
/// and calls this function, which has the same form in every version of the library.
///
///     BULKHEAD_MODULE(Thumbnailer, make_thumbnail, probe)
#define BULKHEAD_MODULE(service, ...)                                                 \
  extern "C" __attribute__((visibility("default"), noreturn)) void bulkhead_module(); \
  void bulkhead_module() { ::bulkhead::detail::serve_module<service>(__VA_ARGS__); }
