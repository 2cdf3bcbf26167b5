#pragma once

#include <stdexcept>
#include <string>

#include "bulkhead/detail/export.hpp"

namespace bulkhead::detail {

// What the archives themselves refuse, in a sentence that says what it was: bytes that no encoder
// can have written, or a value that cannot be sent. Whatever else comes out of encode() and
// decode() was thrown by a type's own serialize().
class BULKHEAD_API Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace bulkhead::detail
