// The exception that is being handled, in words.
#pragma once

#include <string>

namespace bulkhead::worker {

struct ExceptionText {
  std::string type;
  std::string what;  // empty for what is no std::exception
  std::string sentence() const { return what.empty() ? type : type + ": " + what; }
};

// To be called in a handler. Forced unwinding of a thread goes on from here.
ExceptionText current_exception_text();

}  // namespace bulkhead::worker
