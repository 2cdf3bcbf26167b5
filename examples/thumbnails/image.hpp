// Pixels, and the scaler that both decoders feed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Rows of red, green, blue, a byte each, without gaps.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
};

// Shrinks an image while it is read, row by row: each pixel of the result is the mean of a box.
// The longer side becomes `max_side`; an image that is smaller keeps its size.
class BoxScaler {
 public:
  BoxScaler(int width, int height, int max_side);
  // Takes the next row: `width` pixels.
  void add_row(const std::uint8_t* rgb);
  // The scaled image, once every row was added.
  Image finish();

 private:
  void close_box_row();

  int source_height_;
  int source_row_ = 0;
  Image image_;
  std::vector<int> column_;         // of the result, by column of the source
  std::vector<std::uint64_t> sum_;  // of the boxes that are open, by channel
  std::vector<std::uint64_t> count_;
};

// The image as a JPEG file.
std::vector<std::uint8_t> encode_jpeg(const Image& image);
