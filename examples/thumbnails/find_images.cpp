#include <algorithm>
#include <cctype>

#include "album.hpp"

namespace fs = std::filesystem;

namespace {

bool is_image(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

}  // namespace

std::vector<fs::path> find_images(const std::vector<fs::path>& folders, const fs::path& except) {
  std::vector<fs::path> images;
  for (const fs::path& folder : folders) {
    using Walk = fs::recursive_directory_iterator;
    Walk walk(fs::canonical(folder), fs::directory_options::skip_permission_denied);
    for (; walk != Walk(); ++walk) {
      if (walk->is_directory() && walk->path() == except) walk.disable_recursion_pending();
      if (walk->is_regular_file() && is_image(walk->path())) images.push_back(walk->path());
    }
  }
  std::sort(images.begin(), images.end());
  images.erase(std::unique(images.begin(), images.end()), images.end());
  return images;
}
