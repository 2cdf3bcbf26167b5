// The stock worker program: loads a module, which is a shared library with a BULKHEAD_MODULE, and
// lets it serve. Links nothing of Bulkhead: the library's part is in the module, so that a module
// of another version says so itself.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace {

constexpr int usage_error = 64, no_module = 65;

void print_usage(std::FILE* to) {
  std::fputs(
      "usage: bulkhead-worker MODULE [ARGUMENTS]\n"
      "       bulkhead-worker --help | --version\n"
      "\n"
      "Loads MODULE, a shared library with a BULKHEAD_MODULE, and serves its requests. "
      "Applications\n"
      "start it, by bulkhead::Launch::module(MODULE); by hand it only says what MODULE serves.\n",
      to);
}

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bulkhead-worker: %s\n", why.c_str());
  std::exit(no_module);
}

using Serve = void (*)();

Serve load(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) fail("there is no module " + path);
  // A name without a slash would be searched for elsewhere.
  void* const library = ::dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) fail("cannot load the module: " + std::string(::dlerror()));
  void* const serve = ::dlsym(library, "bulkhead_module");
  if (serve == nullptr) fail(path + " is no module: there is no BULKHEAD_MODULE in it");
  return reinterpret_cast<Serve>(serve);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--help") {
    print_usage(stdout);
    return 0;
  }
  if (first == "--version") {
    std::puts("bulkhead-worker " BULKHEAD_VERSION);
    return 0;
  }
  if (first.empty() || first.front() == '-') {
    if (!first.empty()) std::fprintf(stderr, "bulkhead-worker: unknown option %s\n", argv[1]);
    print_usage(stderr);
    return usage_error;
  }
  load(argv[1])();
}
