#include "worker/work.hpp"

#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "ipc/segment.hpp"
#include "platform/fault.hpp"
#include "platform/proc.hpp"
#include "platform/signal_stack.hpp"
#include "platform/stand_in.hpp"
#include "rpc/worker_end.hpp"
#include "worker/crash_teller.hpp"
#include "worker/event_loop.hpp"
#include "worker/exception_text.hpp"
#include "worker/handling.hpp"
#include "worker/heart.hpp"
#include "worker/log_to_app.hpp"
#include "worker/served_call.hpp"

namespace bulkhead::worker {

namespace {

// A handler that ends its thread, as by pthread_exit, takes the worker along: nobody else would
// answer its request.
struct ThreadMustNotEnd {
  bool may_end = platform::stands_in();
  ~ThreadMustNotEnd() {
    if (!may_end) platform::exit_now(1);
  }
};

// Until the worker is asked to leave. Ends the process when the app is gone, whatever others run.
void serve_requests(rpc::WorkerEnd& app, Helpers& helpers, detail::Dispatcher& dispatcher) {
  ThreadMustNotEnd thread;
  rpc::WorkerEnd::Request request;
  const ServedCall served(request.head);
  detail::Buffer response;
  for (;;) {
    switch (app.next(request)) {
      case rpc::WorkerEnd::Next::request:
        if (!Handling(app, helpers, request).serve(dispatcher, response)) platform::exit_now(0);
        platform::fault_point("worker.after_response");
        break;
      case rpc::WorkerEnd::Next::leave:
        thread.may_end = true;
        return;
      case rpc::WorkerEnd::Next::app_gone:
        platform::exit_now(0);
    }
  }
}

[[noreturn]] void refuse(rpc::WorkerEnd& app, const std::string& why) {
  app.refuse(why);
  app.hang_up();  // others of its threads may wait there already
  platform::exit_now(1);
}

void prepare(rpc::WorkerEnd& app, const char* what, const std::function<void()>& work) {
  try {
    if (work) work();
  } catch (...) {
    refuse(app, std::string("its ") + what + " threw " + current_exception_text().sentence());
  }
}

using Threads = std::vector<std::jthread>;

// All but the main thread. They have its signal mask, as warm_up left it, because what a handler
// starts inherits it; a signal to the process is the main thread's first all the same.
template <class Work>
Threads start_threads(rpc::WorkerEnd& app, unsigned count, const Work& work) {
  Threads threads;
  try {
    while (threads.size() + 1 < count) {
      if (const int error = platform::fault_errno("worker.start_thread"))
        throw std::system_error(error, std::generic_category());
      threads.emplace_back(platform::on_another_thread(work));
    }
  } catch (const std::system_error& error) {
    refuse(
        app,
        "thread " + std::to_string(threads.size() + 2) + " of the " + std::to_string(count) +
            " that ServeOptions::threads asks for could not be started: " + error.code().message());
  }
  return threads;
}

// Until the worker is asked to leave.
template <class Work>
void serve_on_threads(rpc::WorkerEnd& app, unsigned threads, unsigned at_once, const Work& serve) {
  const auto work = [&] {
    std::optional<platform::SignalStack> for_crashes;
    if (!platform::stands_in()) for_crashes.emplace();
    serve();
  };
  const Threads others = start_threads(app, threads, work);
  platform::fault_point("worker.before_ready");
  if (!app.ready(at_once)) platform::exit_now(0);
  platform::fault_point("worker.after_ready");
  work();
}

std::unique_ptr<EventLoop> make_loop(rpc::WorkerEnd& app, Helpers& helpers,
                                     detail::Dispatcher& dispatcher, const ServeOptions& options) {
  try {
    return std::make_unique<EventLoop>(app, helpers, dispatcher, options.threads,
                                       options.concurrency);
  } catch (const std::exception& error) {
    refuse(app, std::string("its event loop could not be made: ") + error.what());
  }
}

// What ServeOptions says of how many there are to be.
void check(rpc::WorkerEnd& app, const char* what, unsigned told) {
  if (told < 1 || told > app.most_threads())
    refuse(app, std::string("ServeOptions::") + what + " is " + std::to_string(told) +
                    ", and must be from 1 to " + std::to_string(app.most_threads()));
}

// Its stdio is flushed, but the program's atexit handlers are the fork server's, not its own.
[[noreturn]] void leave(const ServeOptions& options) {
  platform::fault_point("worker.before_leaving");
  if (options.on_exit) options.on_exit();
  std::fflush(nullptr);
  platform::exit_now(0);
}

// The app makes the memory while this process is made, and rings when it is there.
void await_memory(const ipc::Doorbell& app) {
  if (app.hear({}) == ipc::Bell::closed) platform::exit_now(0);
}

}  // namespace

void work(Assignment assignment, const ServeOptions& options, detail::Dispatcher& dispatcher) {
  platform::fault_point("worker.before_open");
  await_memory(assignment.doorbell);
  rpc::WorkerEnd app(ipc::Segment::open(assignment.segment), std::move(assignment.doorbell),
                     assignment.max_message, options.threads);
  ipc::Segment::remove(assignment.segment);  // both have it
  app.carry_bytes(std::move(assignment.bytes), assignment.bytes_limits);
  app.share_sending();
  if (!platform::stands_in()) log_to_app(app);  // else the app's log is this process's own
  platform::fault_point("worker.after_open");
  if (!assignment.objection.empty()) refuse(app, assignment.objection);
  const bool has_coroutines = dispatcher.has_coroutines();
  check(app, "threads", options.threads);
  if (has_coroutines) check(app, "concurrency", options.concurrency);
  if (!assignment.prepared) prepare(app, "preload", options.preload);
  prepare(app, "warm_up", options.warm_up);
  prepare(app, "heartbeat", [&] { begin_beating(app.hints()); });
  if (!platform::stands_in()) tell_of_crashes(app.crash_note(), app.bell());
  Helpers helpers(app);
  if (has_coroutines) {
    const auto loop = make_loop(app, helpers, dispatcher, options);
    serve_on_threads(app, options.threads, options.concurrency, [&] { loop->run(); });
    leave(options);
  }
  serve_on_threads(app, options.threads, options.threads,
                   [&] { serve_requests(app, helpers, dispatcher); });
  leave(options);
}

}  // namespace bulkhead::worker
