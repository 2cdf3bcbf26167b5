#include "platform/symbols.hpp"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "platform/host.hpp"
#include "platform/proc.hpp"

using namespace bulkhead::platform;

namespace bulkhead::test {

// What the tests look for.
std::uint64_t own_address() {
  dl_find_object object{};
  const auto here = reinterpret_cast<std::uint64_t>(&own_address);
  ::_dl_find_object(reinterpret_cast<void*>(here), &object);
  return here - object.dlfo_link_map->l_addr;
}

Module own_module() {
  const Modules modules = modules_of(own_pid());
  const auto own = std::find_if(modules.begin(), modules.end(), [](const Module& module) {
    return module.path == own_executable();
  });
  REQUIRE(own != modules.end());
  return *own;
}

TEST_CASE("the files whose code is mapped are read from the kernel's list") {
  const Modules modules = parse_modules(
      "5598fc952000-5598fc954000 r--p 00000000 fe:00 247134    /usr/bin/some cat\n"
      "5598fc954000-5598fc959000 r-xp 00002000 fe:00 247134    /usr/bin/some cat\n"
      "5598fc959000-5598fc95c000 r-xp 00007000 fe:00 247134    /usr/bin/some cat\n"
      "7f0000000000-7f0000001000 r--p 00000000 00:2a 9         /only/data\n"
      "7f0000002000-7f0000003000 r-xp 00000000 00:00 0 \n"
      "7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0         [vdso]\n"
      "nonsense\n\n");
  REQUIRE(modules.size() == 1);
  CHECK(modules[0].path == "/usr/bin/some cat");
  CHECK(modules[0].inode == 247134);
  CHECK(modules[0].device == 0xfe00);
}

TEST_CASE("the program of a process is among its modules, as the file system tells it") {
  struct stat file {};
  REQUIRE(::stat(own_executable().c_str(), &file) == 0);
  CHECK(own_module().inode == file.st_ino);
}

#ifdef BULKHEAD_LIBDW
TEST_CASE("an address has the name of its function, and its line") {
  const Symbols symbols(own_module());
  const std::string name = symbols.name(own_address());
  INFO(name);
  CHECK(name.starts_with("bulkhead::test::own_address() ("));
  CHECK(name.find("symbols_test.cpp:") != std::string::npos);
  CHECK(symbols.name(~std::uint64_t{}).empty());
  CHECK(symbols.name(0).empty());
}
#endif

TEST_CASE("a file that was replaced, or is none, gives no names") {
  Module replaced = own_module();
  ++replaced.inode;
  CHECK(Symbols(replaced).name(own_address()).empty());
  CHECK(Symbols(Module{.path = "/nowhere/at/all"}).name(own_address()).empty());
}

}  // namespace bulkhead::test
