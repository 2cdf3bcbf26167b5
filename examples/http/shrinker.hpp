// What the server asks of its workers: to decode an uploaded image and make it smaller.
#pragma once

#include <bulkhead/bulkhead.hpp>

struct Shrink {
  using Response = bulkhead::Bytes;  // a JPEG file

  bulkhead::Bytes upload;  // a JPEG or PNG file, or anything else that a stranger has sent
  int max_side = 256;      // of the result, in pixels

  template <class Archive>
  void serialize(Archive& archive) {
    archive(upload, max_side);
  }
};

struct Shrinker : bulkhead::Service<"shrinker", Shrink> {};

// The handler.
bulkhead::Bytes shrink(const Shrink& request);
