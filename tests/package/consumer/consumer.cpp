// A program of somebody who uses the library: an answer, a crash that it survives, and which
// program its worker is: this one, or what serves the module that it is told.
#include <iostream>

#include "numbers.hpp"

int main(int argc, char** argv) try {
  bulkhead::serve_if_worker<Numbers>(twice, crash, who_serves);
  const auto launch = argc > 1 ? bulkhead::Launch::module(argv[1]) : bulkhead::Launch::self();
  bulkhead::Pool<Numbers> pool{{.workers = 1, .launch = launch}};
  std::cout << "twice 21 is " << pool.run(Twice{21}).get() << '\n';
  try {
    pool.run(Crash{}).get();
  } catch (const bulkhead::Error& error) {
    std::cout << "a crash: " << (error.code() == bulkhead::errc::worker_crashed) << '\n';
  }
  std::cout << "served by " << pool.run(WhoServes{}).get() << '\n';
  pool.shutdown();
} catch (const bulkhead::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
