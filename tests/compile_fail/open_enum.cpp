// expect: bulkhead cannot send an enum without a fixed underlying type
#include "bulkhead/detail/codec.hpp"

enum Colour { red, green };

void send(bulkhead::detail::Buffer& out, const Colour& value) {
  bulkhead::detail::encode(out, value);
}
