// expect: cereal could not find any output serialization functions
#include "bulkhead/detail/codec.hpp"

struct Request {
  int a;
};

void send(bulkhead::detail::Buffer& out, const Request& value) {
  bulkhead::detail::encode(out, value);
}
