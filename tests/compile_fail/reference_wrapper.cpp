// expect: bulkhead cannot send a reference, string_view or span
#include <functional>

#include "bulkhead/detail/codec.hpp"

void send(bulkhead::detail::Buffer& out, const std::reference_wrapper<int>& value) {
  bulkhead::detail::encode(out, value);
}
