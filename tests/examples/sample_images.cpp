// Writes a few sound images of each kind that the thumbnails example has to read: sample_images
// FOLDER
#include <png.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "image.hpp"

namespace fs = std::filesystem;

namespace {

// A gradient with a texture, so that a file is neither tiny nor noise.
std::uint8_t shade(int x, int y, int channel) {
  return static_cast<std::uint8_t>((x * (channel + 1) + y * 2 + ((x * y) & 15)) / 3);
}

void write_jpeg(const fs::path& path, int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int channel = 0; channel < 3; ++channel) image.rgb.push_back(shade(x, y, channel));
    }
  }
  const auto file = encode_jpeg(image);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
}

void write_png(const fs::path& path, int width, int height, int color_type, int depth = 8,
               int interlace = PNG_INTERLACE_NONE) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), depth,
               color_type, interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  const auto stride = static_cast<std::size_t>(png_get_rowbytes(png, info));
  std::vector<std::uint8_t> pixels;
  std::vector<png_bytep> rows;
  for (int y = 0; y < height; ++y) {
    for (std::size_t i = 0; i < stride; ++i) pixels.push_back(shade(static_cast<int>(i) / 4, y, 1));
  }
  for (int y = 0; y < height; ++y) rows.push_back(&pixels[static_cast<std::size_t>(y) * stride]);
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  std::fclose(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const fs::path folder = argv[1];
  fs::create_directories(folder / "deeper");
  write_jpeg(folder / "photo.jpg", 640, 480);
  write_jpeg(folder / "tall.jpg", 31, 977);
  write_jpeg(folder / "one pixel & a <name>.jpg", 1, 1);
  write_jpeg(folder / "deeper" / "LARGE.JPEG", 2000, 1500);
  write_png(folder / "rgb.png", 640, 480, PNG_COLOR_TYPE_RGB);
  write_png(folder / "alpha.png", 300, 200, PNG_COLOR_TYPE_RGB_ALPHA);
  write_png(folder / "gray.png", 100, 700, PNG_COLOR_TYPE_GRAY);
  write_png(folder / "deep.png", 320, 200, PNG_COLOR_TYPE_RGB, 16);
  write_png(folder / "deeper" / "interlaced.png", 333, 222, PNG_COLOR_TYPE_GRAY_ALPHA, 8,
            PNG_INTERLACE_ADAM7);
}
