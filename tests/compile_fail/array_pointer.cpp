// expect: bulkhead cannot send a std::unique_ptr to an array
#include <memory>

#include "bulkhead/detail/codec.hpp"

void send(bulkhead::detail::Buffer& out, const std::unique_ptr<int[]>& value) {
  bulkhead::detail::encode(out, value);
}
