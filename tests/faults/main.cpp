// The fault tests, and what the same program is besides: their worker, and applications that end in
// ways which no test could survive.
#define CATCH_CONFIG_RUNNER
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <catch2/catch.hpp>

#include "faults/apps.hpp"
#include "faults/service/test_service.hpp"

int main(int argc, char** argv) {
  using namespace bulkhead::test;
  const auto app = find_app(argc, argv);
  if (app && app->serves_nothing) return app->run();
  serve_if_worker();
  if (app) return app->run();
  // What the tests do to their workers would fill pages.
  bulkhead::set_logger(spdlog::null_logger_mt("nobody"));
  return Catch::Session().run(argc, argv);
}
