#include <png.h>

#include <array>
#include <memory>

#include "decode.hpp"

namespace {

// Whatever the file holds becomes eight bits of red, green, blue and alpha.
void ask_for_rgba(png_structp png, png_infop info) {
  png_set_expand(png);
  png_set_scale_16(png);
  if ((png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
  png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
}

// What is transparent is usually drawn in black or in white: on grey paper both are seen.
constexpr std::array<int, 3> paper{112, 128, 144};

// Lays the pixels on paper.
void flatten(const std::uint8_t* rgba, std::vector<std::uint8_t>& rgb) {
  for (std::size_t i = 0; i < rgb.size(); i += 3, rgba += 4) {
    const int alpha = rgba[3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const int value = rgba[channel] * alpha + paper[channel] * (255 - alpha);
      rgb[i + channel] = static_cast<std::uint8_t>(value / 255);
    }
  }
}

// Interlaced files come in passes over the whole image, so that all of it has to be in memory.
void read_interlaced(png_structp png, png_uint_32 width, png_uint_32 height, BoxScaler& scaler) {
  const std::size_t stride = std::size_t{4} * width;
  const auto pixels = std::make_unique_for_overwrite<std::uint8_t[]>(stride * height);
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) rows[y] = pixels.get() + y * stride;
  png_read_image(png, rows.data());
  std::vector<std::uint8_t> rgb(std::size_t{3} * width);
  for (const auto* row : rows) {
    flatten(row, rgb);
    scaler.add_row(rgb.data());
  }
}

void read_row_by_row(png_structp png, png_uint_32 width, png_uint_32 height, BoxScaler& scaler) {
  std::vector<std::uint8_t> rgba(std::size_t{4} * width);
  std::vector<std::uint8_t> rgb(std::size_t{3} * width);
  for (png_uint_32 y = 0; y < height; ++y) {
    png_read_row(png, rgba.data(), nullptr);
    flatten(rgba.data(), rgb);
    scaler.add_row(rgb.data());
  }
}

}  // namespace

Decoded decode_png(std::FILE* file, int max_side) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_read_info(png, info);
  ask_for_rgba(png, info);
  const bool interlaced = png_set_interlace_handling(png) > 1;
  const png_uint_32 width = png_get_image_width(png, info);
  const png_uint_32 height = png_get_image_height(png, info);
  png_read_update_info(png, info);

  BoxScaler scaler(static_cast<int>(width), static_cast<int>(height), max_side);
  (interlaced ? read_interlaced : read_row_by_row)(png, width, height, scaler);
  png_read_end(png, nullptr);
  png_destroy_read_struct(&png, &info, nullptr);
  return {scaler.finish(), static_cast<int>(width), static_cast<int>(height), {}};
}
