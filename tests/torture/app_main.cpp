// What the applications do that are to be killed.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "support/numbered.hpp"
#include "torture/apps.hpp"
#include "torture/service.hpp"

namespace bulkhead::torture {

namespace {

namespace fs = std::filesystem;
using TorturePool = Pool<Torture>;
using test::blob_of, test::data_of;

constexpr std::size_t large = 200'000;  // in parts through the ring

void say(const fs::path& folder, const char* stage) { std::ofstream(folder / stage).put('\n'); }

// Each of its workers has a helper that left its session and its parents, and holds the output.
TorturePool pool_with_helpers() {
  TorturePool pool{{.workers = 2}};
  std::vector<Future<Receipt>> started;
  for (int i = 0; i < 6; ++i)
    started.push_back(pool.run(Task{.takes_us = 500, .starts_helper = true}));
  for (auto& each : started) each.get();
  return pool;
}

std::vector<Future<Receipt>> many_calls(TorturePool& pool, std::uint32_t each_takes_us) {
  std::vector<Future<Receipt>> calls;
  for (std::uint64_t i = 0; i < 20; ++i)
    calls.push_back(pool.run(Task{.number = i,
                                  .data = data_of(i, i % 4 ? 100 : large),
                                  .blob = i % 5 ? Bytes() : blob_of(i, pool.make_bytes(large)),
                                  .answer_size = i % 4 ? 100 : large,
                                  .answer_blob_size = i % 5 ? 0 : large,
                                  .takes_us = each_takes_us}));
  return calls;
}

int run_calls(const fs::path& folder) {
  TorturePool pool = pool_with_helpers();
  say(folder, "ready");
  for (;;)
    for (auto& call : many_calls(pool, 100)) call.get();
}

int shut_down(const fs::path& folder) {
  TorturePool pool = pool_with_helpers();
  const auto calls = many_calls(pool, 5'000);
  say(folder, "ready");
  pool.shutdown();
  for (;;) ::pause();
}

int destroy(const fs::path& folder) {
  for (;;) {
    TorturePool pool = pool_with_helpers();
    const auto calls = many_calls(pool, 5'000);
    say(folder, "ready");
  }
}

int reload(TorturePool pool, const fs::path& folder) {
  say(folder, "ready");
  for (;;) {
    const auto calls = many_calls(pool, 500);
    pool.reload();
  }
}

int reload(const fs::path& folder) { return reload(pool_with_helpers(), folder); }

// What its environment says is to go wrong goes wrong from the first reload on.
int reload_into_faults(const fs::path& folder) {
  const char* const variable = "BULKHEAD_FAULT";
  const std::string faults = std::getenv(variable);
  ::unsetenv(variable);
  TorturePool pool = pool_with_helpers();
  ::setenv(variable, faults.c_str(), 1);
  return reload(std::move(pool), folder);
}

// From one stage to the next, and again; it ends when it is told to by a file.
int live(const fs::path& folder) {
  while (!fs::exists(folder / "end")) {
    TorturePool pool = pool_with_helpers();
    say(folder, "ready");
    for (auto& call : many_calls(pool, 0)) call.get();
    pool.shutdown();
  }
  return 0;
}

}  // namespace

std::optional<int> be_app(int argc, char** argv) {
  const std::map<std::string, int (*)(const fs::path&)> apps{
      {"run_calls", run_calls}, {"shut_down", shut_down},
      {"destroy", destroy},     {"reload", reload},
      {"live", live},           {"reload_into_faults", reload_into_faults}};
  if (argc != 4 || argv[1] != std::string("--app")) return std::nullopt;
  return apps.at(argv[2])(argv[3]);
}

}  // namespace bulkhead::torture
