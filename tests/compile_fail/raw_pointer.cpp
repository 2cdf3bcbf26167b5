// expect: bulkhead cannot send a raw pointer
#include "bulkhead/detail/codec.hpp"

struct Request {
  const char* text;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text);
  }
};

void send(bulkhead::detail::Buffer& out, const Request& value) {
  bulkhead::detail::encode(out, value);
}
