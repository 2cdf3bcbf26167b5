// The work: every image goes to a pool of workers, every answer and every failure into the album.
#pragma once

#include <atomic>
#include <filesystem>
#include <vector>

#include "album.hpp"
#include "options.hpp"

// Writes the thumbnails into `options.out`. Once `interrupted` is set, what is left is given up.
Album make_album(const std::vector<std::filesystem::path>& images, const Options& options,
                 const std::atomic<bool>& interrupted);
