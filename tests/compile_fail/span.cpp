// expect: bulkhead cannot send a reference, string_view or span
#include <span>

#include "bulkhead/detail/codec.hpp"

void send(bulkhead::detail::Buffer& out, const std::span<int>& value) {
  bulkhead::detail::encode(out, value);
}
