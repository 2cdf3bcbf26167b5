// A program that is only ever a worker, for the tests. Its argument says which contract it was
// built from: the test service's (none), "newer", "shorter" or "other".
#include <string_view>

#include "faults/service/test_service.hpp"

int main(int argc, char** argv) {
  using namespace bulkhead::test;
  const auto echo = [](const Echo& request) { return request.text; };
  const std::string_view contract = argc > 1 ? argv[1] : "";
  if (contract == "shorter") bulkhead::serve<ShorterTestService>(echo);
  if (contract == "other") bulkhead::serve<OtherService>(echo);
  if (contract == "newer") serve_newer();
  serve();
}
