// expect: bulkhead cannot send a std::shared_ptr or std::weak_ptr
#include <memory>

#include "bulkhead/detail/codec.hpp"

void send(bulkhead::detail::Buffer& out, const std::weak_ptr<int>& value) {
  bulkhead::detail::encode(out, value);
}
