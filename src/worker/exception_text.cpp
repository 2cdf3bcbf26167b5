#include "worker/exception_text.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <typeinfo>

namespace bulkhead::worker {

ExceptionText current_exception_text() {
  ExceptionText text{.type = "an exception of unknown type", .what = {}};
  if (const std::type_info* type = abi::__cxa_current_exception_type()) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), std::free);
    text.type = name ? name.get() : type->name();
  }
  try {
    throw;
  } catch (const std::exception& error) {
    text.what = error.what();
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
  }
  return text;
}

}  // namespace bulkhead::worker
