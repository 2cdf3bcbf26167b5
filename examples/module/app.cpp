// Calls each plugin named on its command line, in a worker of its own: one that is missing, is no
// plugin or crashes is a line of the output, and the others go on.
#include <cstdlib>
#include <iostream>

#include "text_filter.hpp"

namespace {

// False when it failed.
bool call(const char* plugin, const std::string& text) {
  try {
    bulkhead::Pool<TextFilter> pool{{.workers = 1, .launch = bulkhead::Launch::module(plugin)}};
    std::cout << pool.run(Filter{text}).get() << '\n';
    return true;
  } catch (const bulkhead::Error& error) {
    std::cout << error.what() << '\n';
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: module_app TEXT PLUGIN...\n";
    return 64;
  }
  int status = EXIT_SUCCESS;
  for (int i = 2; i < argc; ++i)
    if (!call(argv[i], argv[1])) status = EXIT_FAILURE;
  return status;
}
