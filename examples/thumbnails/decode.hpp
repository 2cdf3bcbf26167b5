// The decoders, as most programs call them: libjpeg and libpng with the error handling that they
// come with. On a bad file libjpeg calls exit, and libpng calls abort, each after a line on
// standard error. Nothing here stands in their way; that is what the worker process is for.
#pragma once

#include <cstdio>
#include <string>

#include "image.hpp"

struct Decoded {
  Image image;  // scaled
  int width = 0;
  int height = 0;
  std::string warning;  // not empty: a part of the pixels is the decoder's invention
};

Decoded decode_jpeg(std::FILE* file, int max_side);
Decoded decode_png(std::FILE* file, int max_side);
