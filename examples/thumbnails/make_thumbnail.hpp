// The handler: runs in a worker.
#pragma once

#include "thumbnailer.hpp"

Thumbnail make_thumbnail(const MakeThumbnail& request);
