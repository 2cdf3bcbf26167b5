// Requests that the tests of handlers serve.
#pragma once

#include <string>

namespace bulkhead::test {

struct Text {
  using Response = std::string;
  std::string text = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text);
  }
};
struct Note {
  using Response = void;
  int value = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(value);
  }
};

}  // namespace bulkhead::test
