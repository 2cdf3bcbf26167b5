// Makes thumbnails of every JPEG and PNG file under some folders, in worker processes, and a
// contact sheet of them. A file that takes its decoder down is one failed file, with its cause.
#include <csignal>
#include <cstdio>

#include "make_album.hpp"
#include "make_thumbnail.hpp"

namespace fs = std::filesystem;

namespace {

std::atomic<bool> interrupted = false;

// The first Ctrl-C ends the run in good order, the second at once.
void end_on_ctrl_c() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = true; };
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
}

int make_contact_sheet(const Options& options) {
  fs::create_directories(options.out / "thumbnails");
  end_on_ctrl_c();
  const auto images = find_images(options.folders, fs::canonical(options.out));
  const Album album = make_album(images, options, interrupted);
  const fs::path page = options.out / "index.html";
  write_contact_sheet(album, page);
  print_summary(album);
  std::printf("contact sheet: %s\n", page.c_str());
  return interrupted ? 128 + SIGINT : 0;
}

}  // namespace

int main(int argc, char** argv) {
  bulkhead::serve_if_worker<Thumbnailer>(make_thumbnail);
  try {
    return make_contact_sheet(parse_options({argv + 1, argv + argc}));
  } catch (const UsageError& error) {
    std::fprintf(stderr,
                 "thumbnails: %s\n"
                 "usage: thumbnails [--workers N] [--out DIR] [--max-side N] FOLDER...\n",
                 error.what());
    return 64;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "thumbnails: %s\n", error.what());
    return 1;
  }
}
