#pragma once

#include "bulkhead/detail/refused.hpp"
#include "bulkhead/detail/wire.hpp"

namespace bulkhead::detail {

// One level of objects within one another, while it lives.
class Nesting {
 public:
  explicit Nesting(unsigned& depth) : depth_(depth) {
    if (depth_ == max_depth) throw Refused("objects are nested more than 64 deep");
    ++depth_;
  }
  ~Nesting() { --depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  unsigned& depth_;
};

}  // namespace bulkhead::detail
