#include "bulkhead/serve.hpp"

#include <cstdio>
#include <cstdlib>

#include "platform/host.hpp"
#include "worker/fork_server_main.hpp"
#include "worker/handshake.hpp"
#include "worker/work.hpp"

namespace bulkhead::detail {

bool launched_to_serve(std::string_view service) {
  worker::note_offered(service);
  const auto launch = worker::launched();
  return launch && launch->service == service;
}

void serve(const Contract& contract, const ServeOptions& options,
           std::unique_ptr<Dispatcher> dispatcher) {
  const auto launch = worker::launched();
  auto assignment = launch->role == worker::Role::worker
                        ? worker::become_launched_worker(*launch, contract)
                        : worker::run_fork_server(*launch, contract, options);
  worker::work(std::move(assignment), options, *dispatcher);
}

void refuse_to_serve(const Contract& contract, const char* launch) {
  if (const auto launched = worker::launched()) {
    worker::greet_and_wait(*launched, contract);
    std::exit(64);
  }
  std::fprintf(stderr,
               "This is a worker for the service \"%s\", and does nothing by itself.\n"
               "An application starts it through Bulkhead: bulkhead::Launch::%s.\n",
               contract.service.c_str(), launch);
  std::exit(64);
}

}  // namespace bulkhead::detail
