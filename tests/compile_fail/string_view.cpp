// expect: bulkhead cannot send a reference, string_view or span
#include <string_view>

#include "bulkhead/detail/codec.hpp"

void send(bulkhead::detail::Buffer& out, const std::string_view& value) {
  bulkhead::detail::encode(out, value);
}
