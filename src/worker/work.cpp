#include "worker/work.hpp"

#include <cstdio>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "ipc/segment.hpp"
#include "platform/fault.hpp"
#include "platform/proc.hpp"
#include "rpc/worker_end.hpp"
#include "worker/exception_text.hpp"
#include "worker/heart.hpp"
#include "worker/progress.hpp"
#include "worker/stops.hpp"

namespace bulkhead::worker {

namespace {

// What handlers need besides their requests.
struct Helpers {
  explicit Helpers(rpc::WorkerEnd& app) : stops(app.stops()), progress(app) {}
  Stops stops;
  Progress progress;
};

// False when the app is gone.
bool answer(rpc::WorkerEnd& app, Helpers& helpers, detail::Dispatcher& dispatcher,
            const rpc::WorkerEnd::Request& request, detail::Buffer& response) {
  rpc::WorkerBlobs::Call bytes(app.blobs());
  detail::HandlerStop stop = app.stop_of(request);
  Stops::Call tokens(helpers.stops, stop);
  stop.teller = &tokens;
  Progress::Call values(helpers.progress, request);
  Context context(request.head.id, &bytes, stop, &values);
  response.clear();
  try {
    dispatcher.serve(request.head.request, request.body(), context, response);
    bytes.finish();
  } catch (...) {
    const auto text = current_exception_text();
    bytes.abandon();
    return values.finish() && app.report_exception(request.head, text.type, text.what);
  }
  if (!values.finish()) return false;
  platform::fault_point("worker.before_response");
  const std::size_t size = response.size() + bytes.beside();
  if (!app.fits(size)) return app.report_too_large(request.head, size);
  bytes.answered();
  return app.respond(request.head, response);
}

// A handler that ends its thread, as by pthread_exit, takes the worker along: nobody else would
// answer its request.
struct ThreadMustNotEnd {
  bool may_end = false;
  ~ThreadMustNotEnd() {
    if (!may_end) platform::exit_now(1);
  }
};

// Until the worker is asked to leave. Ends the process when the app is gone, whatever others run.
void serve_requests(rpc::WorkerEnd& app, Helpers& helpers, detail::Dispatcher& dispatcher) {
  ThreadMustNotEnd thread;
  rpc::WorkerEnd::Request request;
  detail::Buffer response;
  while (!thread.may_end) {
    switch (app.next(request)) {
      case rpc::WorkerEnd::Next::request:
        if (!answer(app, helpers, dispatcher, request, response)) platform::exit_now(0);
        platform::fault_point("worker.after_response");
        break;
      case rpc::WorkerEnd::Next::leave:
        thread.may_end = true;
        break;
      case rpc::WorkerEnd::Next::app_gone:
        platform::exit_now(0);
    }
  }
}

[[noreturn]] void refuse(rpc::WorkerEnd& app, const std::string& why) {
  app.refuse(why);
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
Threads start_threads(rpc::WorkerEnd& app, unsigned count, Helpers& helpers,
                      detail::Dispatcher& dispatcher) {
  Threads threads;
  try {
    while (threads.size() + 1 < count) {
      if (const int error = platform::fault_errno("worker.start_thread"))
        throw std::system_error(error, std::generic_category());
      threads.emplace_back(
          [&app, &helpers, &dispatcher] { serve_requests(app, helpers, dispatcher); });
    }
  } catch (const std::system_error& error) {
    refuse(
        app,
        "thread " + std::to_string(threads.size() + 2) + " of the " + std::to_string(count) +
            " that ServeOptions::threads asks for could not be started: " + error.code().message());
  }
  return threads;
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
  platform::fault_point("worker.after_open");
  if (!assignment.objection.empty()) refuse(app, assignment.objection);
  if (options.threads < 1 || options.threads > app.most_threads())
    refuse(app, "ServeOptions::threads is " + std::to_string(options.threads) +
                    ", and must be from 1 to " + std::to_string(app.most_threads()));
  if (!assignment.prepared) prepare(app, "preload", options.preload);
  prepare(app, "warm_up", options.warm_up);
  Helpers helpers(app);
  {
    const Threads threads = start_threads(app, options.threads, helpers, dispatcher);
    prepare(app, "heartbeat", [&] { begin_beating(app.hints()); });
    platform::fault_point("worker.before_ready");
    if (!app.ready()) platform::exit_now(0);
    platform::fault_point("worker.after_ready");
    serve_requests(app, helpers, dispatcher);
  }
  leave(options);
}

}  // namespace bulkhead::worker
