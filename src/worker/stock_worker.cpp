#include "worker/stock_worker.hpp"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "bulkhead/error.hpp"
#include "platform/host.hpp"

// The build says where it puts the program; another build system need not.
#ifndef BULKHEAD_INSTALLED_WORKER
#define BULKHEAD_INSTALLED_WORKER ""
#endif
#ifndef BULKHEAD_BUILT_WORKER
#define BULKHEAD_BUILT_WORKER ""
#endif

namespace bulkhead::worker {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> places(const std::string& packaged) {
  constexpr const char* name = "bulkhead-worker";
  const fs::path library = fs::path(platform::own_library()).parent_path();
  const fs::path app = fs::path(platform::own_executable()).parent_path();
  return {packaged,
          library.parent_path() / "bin" / name,                // PREFIX/lib/libbulkhead.so
          library.parent_path().parent_path() / "bin" / name,  // PREFIX/lib/TUPLE/libbulkhead.so
          library / name,
          app / name,
          BULKHEAD_INSTALLED_WORKER,
          BULKHEAD_BUILT_WORKER};
}

}  // namespace

std::string find_stock_worker(const std::string& packaged) {
  const char* const told = std::getenv("BULKHEAD_WORKER_PROGRAM");
  if (told && *told) return told;
  std::string looked_at;
  for (const fs::path& place : places(packaged)) {
    std::error_code unreadable;
    if (place.empty()) continue;
    if (fs::is_regular_file(place, unreadable)) return place.string();
    looked_at += (looked_at.empty() ? "" : ", ") + place.string();
  }
  throw Error(errc::start_failed,
              "the program bulkhead-worker, which serves modules, is not there (looked at " +
                  looked_at + "): install it, or name it in BULKHEAD_WORKER_PROGRAM");
}

}  // namespace bulkhead::worker
