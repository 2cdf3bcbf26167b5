// Makes broken images from good ones: make_broken GOOD_FOLDER BROKEN_FOLDER
// The same good folder always gives the same broken files, at most 60.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

using Contents = std::vector<std::uint8_t>;

Contents read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const Contents& contents) {
  std::ofstream file;
  file.exceptions(std::ios::failbit | std::ios::badbit);
  file.open(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(contents.data()),
             static_cast<std::streamsize>(contents.size()));
}

std::vector<fs::path> files(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> found;
  for (const auto& item : fs::recursive_directory_iterator(folder)) {
    if (item.is_regular_file() && item.path().extension() == extension)
      found.push_back(item.path());
  }
  if (found.empty()) throw std::runtime_error("no " + extension + " in " + folder.string());
  std::sort(found.begin(), found.end());
  return found;
}

Contents truncated(Contents contents, std::size_t percent) {
  contents.resize(contents.size() * percent / 100);
  return contents;
}

Contents flipped(Contents contents, std::size_t bytes, std::mt19937& random) {
  for (std::size_t i = 0; i < bytes; ++i) contents[random() % contents.size()] ^= 0xff;
  return contents;
}

void put_big_endian(Contents& contents, std::size_t at, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    contents[at++] = static_cast<std::uint8_t>(value >> shift);
  }
}

std::uint32_t crc32(const std::uint8_t* begin, const std::uint8_t* end) {
  std::uint32_t crc = ~0u;
  for (; begin != end; ++begin) {
    crc ^= *begin;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

// The header comes first: signature (8 bytes), length (4), "IHDR" (4), width, height, 5 more, CRC.
Contents declared_as(Contents png, std::uint32_t width, std::uint32_t height) {
  constexpr std::size_t type = 12, crc = 29;
  put_big_endian(png, type + 4, width);
  put_big_endian(png, type + 8, height);
  put_big_endian(png, crc, crc32(png.data() + type, png.data() + crc));
  return png;
}

// Each kind of damage takes the next images in turn.
void break_images(const std::vector<fs::path>& good, const fs::path& folder) {
  constexpr int images_of_each_kind = 4;
  std::mt19937 random(1);
  std::size_t next = 0;
  const auto each = [&](const std::string& kind, const auto& damage) {
    for (int i = 0; i < images_of_each_kind; ++i) {
      const fs::path& image = good[next++ % good.size()];
      write(folder / (kind + "-" + std::to_string(i + 1) + "-" + image.filename().string()),
            damage(read(image)));
    }
  };
  for (const std::size_t percent : {1u, 25u, 60u, 95u}) {
    each("truncated-to-" + std::to_string(percent) + "-percent",
         [&](Contents contents) { return truncated(std::move(contents), percent); });
  }
  for (const std::size_t bytes : {1u, 8u, 64u}) {
    each("flipped-" + std::to_string(bytes) + "-bytes",
         [&](Contents contents) { return flipped(std::move(contents), bytes, random); });
  }
}

void make_broken(const fs::path& good, const fs::path& broken) {
  const auto jpegs = files(good, ".jpg");
  const auto pngs = files(good, ".png");
  fs::create_directories(broken);
  break_images(jpegs, broken);
  break_images(pngs, broken);
  write(broken / "empty.jpg", {});
  write(broken / "empty.png", {});
  const std::string text = "This is a text, whatever its name says.\n";
  write(broken / "text.jpg", Contents(text.begin(), text.end()));
  write(broken / "huge.png", declared_as(read(pngs.front()), 60000, 60000));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: make_broken GOOD_FOLDER BROKEN_FOLDER\n");
    return 64;
  }
  try {
    make_broken(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_broken: %s\n", error.what());
    return 1;
  }
}
