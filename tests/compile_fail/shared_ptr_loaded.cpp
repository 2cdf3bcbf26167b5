// expect: bulkhead cannot send a std::shared_ptr or std::weak_ptr
#include <memory>

#include "bulkhead/detail/codec.hpp"

void receive(std::span<const std::byte> frame, std::shared_ptr<int>& value) {
  bulkhead::detail::decode(frame, value);
}
