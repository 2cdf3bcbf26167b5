#include "album.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>

namespace {

std::string ending(const bulkhead::ExitStatus& status) {
  if (status.signal) {
    const char* name = ::sigabbrev_np(*status.signal);
    return name ? std::string("SIG") + name : "signal " + std::to_string(*status.signal);
  }
  if (status.code) return "exit(" + std::to_string(*status.code) + ")";
  return "an unknown end";
}

// libjpeg and libpng say what is wrong before they end the process.
std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return text.substr(text.find_last_of('\n') + 1);
}

}  // namespace

std::size_t Album::decoded() const {
  return static_cast<std::size_t>(std::count_if(
      entries.begin(), entries.end(), [](const Entry& entry) { return !entry.thumbnail.empty(); }));
}

Entry failed_entry(std::filesystem::path image, const bulkhead::Error& error) {
  Entry entry{.image = std::move(image), .reason = error.what(), .details = error.what()};
  if (const bulkhead::CrashReport* crash = error.crash()) {
    const std::string words = last_line(crash->stderr_tail);
    entry.reason = ending(crash->status) + (words.empty() ? "" : ": " + words);
    if (!words.empty()) entry.details += "\n" + words;
  }
  return entry;
}

void print_summary(const Album& album) {
  std::map<std::string, int> reasons;
  for (const Entry& entry : album.entries) {
    if (entry.thumbnail.empty()) ++reasons[entry.reason];
  }
  std::printf("%zu images: %zu decoded, %zu failed, %zu missing\n", album.found, album.decoded(),
              album.failed(), album.missing());
  for (const auto& [reason, count] : reasons) std::printf("  %4d  %s\n", count, reason.c_str());
  std::printf("%zu workers lost, %zu replaced; %.1f s\n", album.workers_lost,
              album.workers_replaced, static_cast<double>(album.time.count()) / 1000);
}
