#include <cstdio>  // jpeglib.h wants FILE

#include <jpeglib.h>

#include <algorithm>

#include "decode.hpp"

namespace {

// libjpeg warns of a damaged file once, fills the rest with grey, and goes on.
void keep_first_warning(j_common_ptr info, int level) {
  if (level >= 0) return;  // tracing
  if (info->err->num_warnings++ > 0) return;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  *static_cast<std::string*>(info->client_data) = text;
}

// libjpeg shrinks by 2, 4 or 8 for less than it costs to decode everything.
unsigned shrink_while_decoding(const jpeg_decompress_struct& jpeg, int max_side) {
  const unsigned longer = std::max(jpeg.image_width, jpeg.image_height);
  unsigned by = 1;
  while (by < 8 && longer / (2 * by) >= static_cast<unsigned>(max_side)) by *= 2;
  return by;
}

}  // namespace

Decoded decode_jpeg(std::FILE* file, int max_side) {
  Decoded result;
  jpeg_decompress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  jpeg.err = jpeg_std_error(&errors);
  errors.emit_message = keep_first_warning;
  jpeg_create_decompress(&jpeg);
  jpeg.client_data = &result.warning;
  jpeg_stdio_src(&jpeg, file);
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = JCS_RGB;
  jpeg.scale_denom = shrink_while_decoding(jpeg, max_side);
  jpeg_start_decompress(&jpeg);

  BoxScaler scaler(static_cast<int>(jpeg.output_width), static_cast<int>(jpeg.output_height),
                   max_side);
  std::vector<JSAMPLE> row(std::size_t{3} * jpeg.output_width);
  JSAMPROW rows[] = {row.data()};
  while (jpeg.output_scanline < jpeg.output_height) {
    jpeg_read_scanlines(&jpeg, rows, 1);
    scaler.add_row(row.data());
  }
  result.width = static_cast<int>(jpeg.image_width);
  result.height = static_cast<int>(jpeg.image_height);
  result.image = scaler.finish();
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return result;
}
