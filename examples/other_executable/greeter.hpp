// What both programs include: the contract between them.
#pragma once

#include <bulkhead/bulkhead.hpp>

#include <string>

struct Greet {
  using Response = std::string;

  std::string name;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(name);
  }
};

struct Greeter : bulkhead::Service<"greeter", Greet> {};
