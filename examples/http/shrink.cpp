#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "decode.hpp"
#include "shrinker.hpp"

namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

// The decoders read files. It is only read.
File open_to_read(const bulkhead::Bytes& bytes) {
  File file(::fmemopen(const_cast<std::byte*>(bytes.data()), bytes.size(), "rb"));
  if (!file) throw std::system_error(errno, std::generic_category(), "cannot read the upload");
  return file;
}

}  // namespace

// On a bad file libjpeg calls exit, and libpng calls abort: nothing here stands in their way.
bulkhead::Bytes shrink(const Shrink& request) {
  if (request.upload.size() == 0) throw std::invalid_argument("the upload is empty");
  const File file = open_to_read(request.upload);
  const bool is_png = request.upload.data()[0] == std::byte{0x89};
  const auto decode = is_png ? decode_png : decode_jpeg;
  const auto jpeg = encode_jpeg(decode(file.get(), request.max_side).image);
  return bulkhead::Bytes::copy_of(std::as_bytes(std::span(jpeg)));
}
