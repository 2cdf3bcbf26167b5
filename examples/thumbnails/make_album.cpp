#include "make_album.hpp"

#include <cstdio>
#include <deque>
#include <fstream>

#include "progress.hpp"
#include "thumbnailer.hpp"

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

class Run {
 public:
  Run(const std::vector<fs::path>& images, const Options& options,
      const std::atomic<bool>& interrupted)
      : images_(images), options_(options), interrupted_(interrupted), pool_(pool_of(options)) {}

  Album finish() {
    for (const fs::path& image : images_) {
      if (interrupted_) break;
      waiting_.push_back({image, pool_.run(MakeThumbnail{image.string(), options_.max_side})});
      while (waiting_.size() >= at_once && !interrupted_) settle_next();
    }
    while (!waiting_.empty() && !interrupted_) settle_next();
    if (interrupted_) waiting_.clear();
    progress_.erase();
    pool_.shutdown(interrupted_ ? 1s : 30s);
    return finished_album();
  }

 private:
  struct Call {
    fs::path image;
    bulkhead::Future<Thumbnail> thumbnail;
  };

  // More than the workers can hold, less than the pool's queue limit.
  static constexpr std::size_t at_once = 512;

  static bulkhead::PoolOptions pool_of(const Options& options) {
    bulkhead::PoolOptions result;
    if (options.workers > 0) result.workers = options.workers;
    return result;
  }

  void settle_next() {
    Call& call = waiting_.front();
    const bool ready = call.thumbnail.wait_for(100ms);
    if (ready) {
      album_.entries.push_back(settle(call));
      waiting_.pop_front();
      if (album_.entries.back().thumbnail.empty()) ++failed_;
    }
    draw_progress(ready);
  }

  Entry settle(Call& call) {
    try {
      const Thumbnail thumbnail = call.thumbnail.get();
      if (!thumbnail.warning.empty()) {
        return {.image = call.image,
                .reason = "damaged: " + thumbnail.warning,
                .details = "the decoder filled in what it could not read"};
      }
      return {call.image, save(thumbnail), thumbnail.width, thumbnail.height};
    } catch (const bulkhead::Error& error) {
      return failed_entry(call.image, error);
    }
  }

  std::string save(const Thumbnail& thumbnail) {
    char name[32];
    std::snprintf(name, sizeof name, "thumbnails/%05zu.jpg", album_.entries.size() + 1);
    std::ofstream file;
    file.exceptions(std::ios::failbit | std::ios::badbit);
    file.open(options_.out / name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(thumbnail.jpeg.data()),
               static_cast<std::streamsize>(thumbnail.jpeg.size()));
    return name;
  }

  // Ten times a second is enough for the eye.
  void draw_progress(bool more_is_ready) {
    const auto now = std::chrono::steady_clock::now();
    if (more_is_ready && now - drawn_ < 100ms) return;
    drawn_ = now;
    progress_.draw(album_.entries.size(), failed_, pool_.stats().restarts);
  }

  Album finished_album() {
    const auto stats = pool_.stats();
    const auto time = std::chrono::steady_clock::now() - start_;
    album_.found = images_.size();
    album_.workers_lost = stats.crashes;
    album_.workers_replaced = stats.restarts;
    album_.time = std::chrono::duration_cast<std::chrono::milliseconds>(time);
    return std::move(album_);
  }

  const std::vector<fs::path>& images_;
  const Options& options_;
  const std::atomic<bool>& interrupted_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bulkhead::Pool<Thumbnailer> pool_;
  Progress progress_{images_.size()};
  std::chrono::steady_clock::time_point drawn_ = start_;
  std::deque<Call> waiting_;  // in the order of the images
  Album album_;
  std::size_t failed_ = 0;
};

}  // namespace

Album make_album(const std::vector<fs::path>& images, const Options& options,
                 const std::atomic<bool>& interrupted) {
  return Run(images, options, interrupted).finish();
}
