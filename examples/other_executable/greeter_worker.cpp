// A program that is only ever a worker: examples/other_executable starts it.
// The greeting comes as its argument, the punctuation by its environment.
#include <cstdlib>

#include "greeter.hpp"

int main(int argc, char** argv) {
  const std::string greeting = argc > 1 ? argv[1] : "Hello";
  const char* punctuation = std::getenv("GREETER_PUNCTUATION");
  bulkhead::serve<Greeter>([=](const Greet& request) {
    return greeting + ", " + request.name + (punctuation ? punctuation : "");
  });
}
