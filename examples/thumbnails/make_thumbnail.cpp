#include "make_thumbnail.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "decode.hpp"

namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File open_to_read(const std::string& path) {
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) throw std::system_error(errno, std::generic_category(), "cannot open " + path);
  return file;
}

// By the first byte; a file that begins like neither format is what its name says.
bool is_png(std::FILE* file, const std::string& path) {
  const int first = std::fgetc(file);
  std::rewind(file);
  if (first == 0x89) return true;
  if (first == 0xff) return false;
  return path.ends_with("png") || path.ends_with("PNG");
}

}  // namespace

Thumbnail make_thumbnail(const MakeThumbnail& request) {
  const File file = open_to_read(request.path);
  const auto decode = is_png(file.get(), request.path) ? decode_png : decode_jpeg;
  Decoded decoded = decode(file.get(), request.max_side);
  return {encode_jpeg(decoded.image), decoded.width, decoded.height, std::move(decoded.warning)};
}
