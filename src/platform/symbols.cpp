#include "platform/symbols.hpp"

#ifdef BULKHEAD_LIBDW

#include <cxxabi.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "platform/fd.hpp"

namespace bulkhead::platform {
namespace {

// Separate debug information is looked for on this machine only, by its build id.
const Dwfl_Callbacks callbacks = {.find_elf = nullptr,
                                  .find_debuginfo = dwfl_build_id_find_debuginfo,
                                  .section_address = dwfl_offline_section_address,
                                  .debuginfo_path = nullptr};

Fd open_same(const Module& module) {
  Fd file(::open(module.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat now {};
  const bool same = file && ::fstat(file.get(), &now) == 0 && S_ISREG(now.st_mode) &&
                    now.st_dev == module.device && now.st_ino == module.inode;
  return same ? std::move(file) : Fd();
}

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  return plain ? plain.get() : name;
}

// Clang lists no addresses of its units, by which libdw would find them: then each is asked.
Dwarf_Die* unit_of(Dwfl_Module* module, Dwarf_Addr address, Dwarf_Addr& bias) {
  if (Dwarf_Die* const unit = dwfl_module_addrdie(module, address, &bias)) return unit;
  Dwarf_Die* unit = nullptr;
  while ((unit = dwfl_module_nextcu(module, unit, &bias)))
    if (dwarf_haspc(unit, address - bias) == 1) return unit;
  return nullptr;
}

// " (file:line)", or nothing.
std::string source_of(Dwfl_Module* module, Dwarf_Addr address) {
  Dwarf_Addr bias = 0;
  Dwarf_Die* const unit = unit_of(module, address, bias);
  Dwarf_Line* const line = unit ? dwarf_getsrc_die(unit, address - bias) : nullptr;
  const char* const file = line ? dwarf_linesrc(line, nullptr, nullptr) : nullptr;
  int number = 0;
  if (!file || dwarf_lineno(line, &number) != 0) return {};
  return " (" + std::string(file) + ":" + std::to_string(number) + ")";
}

}  // namespace

struct Symbols::Reader {
  std::unique_ptr<Dwfl, void (*)(Dwfl*)> session{dwfl_begin(&callbacks), dwfl_end};
  Dwfl_Module* module = nullptr;

  explicit Reader(const Module& file) {
    Fd fd = open_same(file);
    if (!fd || !session) return;
    constexpr bool as_the_file_counts = true;
    module = dwfl_report_elf(session.get(), "", file.path.c_str(), fd.get(), 0, as_the_file_counts);
    if (module) static_cast<void>(fd.release());  // it is the module's now
    dwfl_report_end(session.get(), nullptr, nullptr);
  }
};

Symbols::Symbols(const Module& module) : reader_(std::make_unique<Reader>(module)) {}

std::string Symbols::name(std::uint64_t address) const {
  if (!reader_->module) return {};
  const char* const symbol = dwfl_module_addrname(reader_->module, address);
  if (!symbol) return {};
  return demangled(symbol) + source_of(reader_->module, address);
}

#else

namespace bulkhead::platform {

struct Symbols::Reader {};
Symbols::Symbols(const Module&) {}
std::string Symbols::name(std::uint64_t) const { return {}; }

#endif

Symbols::~Symbols() = default;
Symbols::Symbols(Symbols&&) noexcept = default;

}  // namespace bulkhead::platform
