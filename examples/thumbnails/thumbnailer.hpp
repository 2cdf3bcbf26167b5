// What the application asks of its workers: a thumbnail of one image file.
#pragma once

#include <bulkhead/bulkhead.hpp>

#include <cstdint>
#include <string>
#include <vector>

struct Thumbnail {
  std::vector<std::uint8_t> jpeg;
  int width = 0;  // of the original, in pixels
  int height = 0;
  std::string
      warning;  // the decoder's complaint about pixels that it made up; empty for a sound image

  template <class Archive>
  void serialize(Archive& archive) {
    archive(jpeg, width, height, warning);
  }
};

// Decoding twice would be harmless, yet this is not marked as idempotent:
// an image that takes its worker down does so each time it is tried.
struct MakeThumbnail {
  using Response = Thumbnail;

  std::string path;
  int max_side = 256;  // of the thumbnail, in pixels

  template <class Archive>
  void serialize(Archive& archive) {
    archive(path, max_side);
  }
};

struct Thumbnailer : bulkhead::Service<"thumbnailer", MakeThumbnail> {};
