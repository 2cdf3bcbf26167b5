// expect: bulkhead cannot send a std::shared_ptr or std::weak_ptr
#include <memory>
#include <vector>

#include "bulkhead/detail/codec.hpp"

void send(bulkhead::detail::Buffer& out, const std::vector<std::shared_ptr<int>>& value) {
  bulkhead::detail::encode(out, value);
}
