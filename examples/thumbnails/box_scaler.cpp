#include <algorithm>
#include <utility>

#include "image.hpp"

namespace {

int scaled(int length, int longer, int max_side) {
  if (longer <= max_side) return length;
  return std::max(1, static_cast<int>(std::int64_t{length} * max_side / longer));
}

// Which of `boxes` the item at `index` of `length` falls into.
int box_of(int index, int length, int boxes) {
  return static_cast<int>(std::int64_t{index} * boxes / length);
}

}  // namespace

BoxScaler::BoxScaler(int width, int height, int max_side) : source_height_(height) {
  const int longer = std::max(width, height);
  image_.width = scaled(width, longer, max_side);
  image_.height = scaled(height, longer, max_side);
  column_.resize(static_cast<std::size_t>(width));
  for (int x = 0; x < width; ++x) {
    column_[static_cast<std::size_t>(x)] = box_of(x, width, image_.width);
  }
  count_.resize(static_cast<std::size_t>(image_.width));
  sum_.resize(3 * count_.size());
}

void BoxScaler::add_row(const std::uint8_t* rgb) {
  for (const int column : column_) {
    const auto box = static_cast<std::size_t>(column);
    for (std::size_t channel = 0; channel < 3; ++channel) sum_[3 * box + channel] += *rgb++;
    ++count_[box];
  }
  const int row = box_of(source_row_, source_height_, image_.height);
  ++source_row_;
  if (box_of(source_row_, source_height_, image_.height) != row) close_box_row();
}

void BoxScaler::close_box_row() {
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    image_.rgb.push_back(static_cast<std::uint8_t>(sum_[i] / count_[i / 3]));
  }
  std::fill(sum_.begin(), sum_.end(), 0);
  std::fill(count_.begin(), count_.end(), 0);
}

Image BoxScaler::finish() { return std::move(image_); }
