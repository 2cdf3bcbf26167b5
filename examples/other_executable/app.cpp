// Calls functions in another program, greeter_worker, that lies beside this one.
#include <filesystem>
#include <iostream>

#include "greeter.hpp"

namespace {

std::filesystem::path program_beside_this(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

}  // namespace

int main() {
  try {
    auto launch = bulkhead::Launch::executable(program_beside_this("greeter_worker"));
    launch.arg("Good morning").env("GREETER_PUNCTUATION", "!").working_directory("/");
    bulkhead::Pool<Greeter> pool{{.workers = 2, .launch = launch}};
    for (const char* name : {"Ada", "Grace"}) {
      std::cout << pool.run(Greet{name}).get() << '\n';
    }
    pool.shutdown();
  } catch (const bulkhead::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
