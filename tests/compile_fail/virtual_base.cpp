// expect: bulkhead supports neither cereal::defer nor cereal::virtual_base_class
#include "bulkhead/detail/codec.hpp"

struct Base {
  int a;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(a);
  }
};
struct Derived : virtual Base {
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::virtual_base_class<Base>(this));
  }
};

void send(bulkhead::detail::Buffer& out, const Derived& value) {
  bulkhead::detail::encode(out, value);
}
