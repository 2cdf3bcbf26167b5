#include "bulkhead/serve.hpp"

#include <cstdio>
#include <cstdlib>

#include "ipc/segment.hpp"
#include "platform/fault.hpp"
#include "platform/host.hpp"
#include "platform/proc.hpp"
#include "rpc/worker_end.hpp"
#include "worker/exception_text.hpp"
#include "worker/fork_server_main.hpp"
#include "worker/handshake.hpp"

namespace bulkhead::detail {

namespace {

// False when the app is gone.
bool answer(rpc::WorkerEnd& app, Dispatcher& dispatcher, const rpc::WorkerEnd::Request& request,
            Buffer& response) {
  Context context(request.head.id);
  response.clear();
  try {
    dispatcher.serve(request.head.request, request.body(), context, response);
  } catch (...) {
    const auto text = worker::current_exception_text();
    return app.report_exception(request.head, text.type, text.what);
  }
  platform::fault_point("worker.before_response");
  return app.respond(request.head, response);
}

// Its stdio is flushed, but the program's atexit handlers are the fork server's, not its own.
[[noreturn]] void leave(const ServeOptions& options) {
  platform::fault_point("worker.before_leaving");
  if (options.on_exit) options.on_exit();
  std::fflush(nullptr);
  platform::exit_now(0);
}

[[noreturn]] void work(worker::Assignment assignment, const ServeOptions& options,
                       Dispatcher& dispatcher) {
  platform::fault_point("worker.before_open");
  rpc::WorkerEnd app(ipc::Segment::open(assignment.segment), std::move(assignment.doorbell),
                     assignment.max_message);
  ipc::Segment::remove(assignment.segment);  // both have it
  platform::fault_point("worker.after_open");
  try {
    if (options.warm_up) options.warm_up();
  } catch (...) {
    app.refuse("its warm_up threw " + worker::current_exception_text().sentence());
    platform::exit_now(1);
  }
  platform::fault_point("worker.before_ready");
  if (!app.ready()) platform::exit_now(0);
  platform::fault_point("worker.after_ready");
  rpc::WorkerEnd::Request request;
  Buffer response;
  for (bool app_there = true; app_there;) {
    switch (app.next(request)) {
      case rpc::WorkerEnd::Next::request:
        app_there = answer(app, dispatcher, request, response);
        platform::fault_point("worker.after_response");
        break;
      case rpc::WorkerEnd::Next::leave:
        leave(options);
      case rpc::WorkerEnd::Next::app_gone:
        app_there = false;
    }
  }
  platform::exit_now(0);
}

}  // namespace

bool launched_to_serve(std::string_view service) {
  worker::note_offered(service);
  const auto launch = worker::launched();
  return launch && launch->service == service;
}

void serve(const Contract& contract, const ServeOptions& options,
           std::unique_ptr<Dispatcher> dispatcher) {
  const auto launch = worker::launched();
  auto assignment = worker::run_fork_server(*launch, contract, options);
  work(std::move(assignment), options, *dispatcher);
}

void refuse_to_serve(const Contract& contract) {
  if (const auto launch = worker::launched()) {
    worker::greet_and_wait(*launch, contract);
    std::exit(64);
  }
  std::fprintf(stderr,
               "This program is a worker for the service \"%s\" and does nothing by itself.\n"
               "An application starts it through Bulkhead: bulkhead::Launch::executable(\"%s\").\n",
               contract.service.c_str(), platform::own_executable().c_str());
  std::exit(64);
}

}  // namespace bulkhead::detail
