// What a call costs, beside what the machine can do at best. bench/README.md says what each row is.
#include <spdlog/logger.h>
#include <bulkhead/log.hpp>

#include <algorithm>
#include <cstring>
#include <memory>

#include "service.hpp"
#include "table.hpp"

namespace {

// Takes `flag` out of the arguments, so that the benchmark library does not stumble over it.
bool take_flag(int& argc, char** argv, const char* flag) {
  char** const end = std::remove_if(argv + 1, argv + argc, [flag](const char* argument) {
    return std::strcmp(argument, flag) == 0;
  });
  const bool found = end != argv + argc;
  *end = nullptr;
  argc = static_cast<int>(end - argv);
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  bulkhead::bench::serve_if_worker();
  bulkhead::bench::serve_laden_if_worker();
  bulkhead::bench::Session session{.quick = take_flag(argc, argv, "--quick")};
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  // Workers crash here on purpose.
  bulkhead::set_logger(std::make_shared<spdlog::logger>("bulkhead"));

  register_latency(session);
  register_throughput(session);
  register_bytes(session);
  register_start(session);
  register_spares(session);
  register_idle(session);
  benchmark::RunSpecifiedBenchmarks();
  session.table.print();
}
