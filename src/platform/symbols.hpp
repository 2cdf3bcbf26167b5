// Names what lies at an address of a program or shared library, from its symbols and its debug
// information: by libdw, where the library was built with it. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/modules.hpp"

namespace bulkhead::platform {

class Symbols {
 public:
  // Opens the file if it still is the one that is meant; else there are no names.
  explicit Symbols(const Module& module);
  ~Symbols();
  Symbols(Symbols&&) noexcept;
  Symbols& operator=(Symbols&&) = delete;

  // "function (file:line)", "function", or nothing. `address` as the file counts them.
  std::string name(std::uint64_t address) const;

 private:
  struct Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace bulkhead::platform
