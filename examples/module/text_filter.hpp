// What the application and its plugins include: the contract between them.
#pragma once

#include <bulkhead/bulkhead.hpp>
#include <string>

struct Filter {
  using Response = std::string;

  std::string text;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(text);
  }
};

struct TextFilter : bulkhead::Service<"text-filter", Filter> {};
