// A module for the tests; its handlers come with options before them.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "faults/service/test_service.hpp"

using namespace bulkhead::test;

namespace {

int warmed_up = 0;

std::string echo(const Echo& request) {
  if (request.text == "die") std::abort();
  return request.text + " from " + std::to_string(warmed_up) + " of the module";
}

View look_around(const LookAround&) {
  View view;
  view.pid = ::getpid();
  std::ifstream arguments("/proc/self/cmdline");
  for (std::string argument; std::getline(arguments, argument, '\0');)
    view.arguments.push_back(argument);
  return view;
}

// TEST_SWAP=NEW:OLD puts the file NEW in the place of OLD, which is this module.
bulkhead::ServeOptions options() {
  const std::string swap = std::getenv("TEST_SWAP") ? std::getenv("TEST_SWAP") : "";
  const auto colon = swap.find(':');
  if (colon != swap.npos)
    std::rename(swap.substr(0, colon).c_str(), swap.substr(colon + 1).c_str());
  return {.warm_up = [] { ++warmed_up; }};
}

}  // namespace

BULKHEAD_MODULE(MODULE_SERVICE, options(), echo, look_around)
