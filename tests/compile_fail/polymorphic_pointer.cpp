// expect: bulkhead cannot send a pointer to a polymorphic type
#include <memory>

#include "bulkhead/detail/codec.hpp"

struct Shape {
  virtual ~Shape() = default;
};

void send(bulkhead::detail::Buffer& out, const std::unique_ptr<Shape>& value) {
  bulkhead::detail::encode(out, value);
}
