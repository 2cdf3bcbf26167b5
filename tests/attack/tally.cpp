#include "attack/tally.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bulkhead::attack {

Tally::Tally(const std::string& path)
    : file_(platform::open_file(path, O_RDWR | O_CREAT | O_APPEND, 0600)) {}

void Tally::note(Kind kind) const {
  const auto byte = static_cast<std::uint8_t>(kind);
  [[maybe_unused]] const auto written = ::write(file_.get(), &byte, 1);
}

std::uint64_t Tally::sum() const {
  struct stat info {};
  return ::fstat(file_.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::array<std::uint64_t, kinds.size()> Tally::each() const {
  std::array<std::uint64_t, kinds.size()> counts{};
  std::array<std::uint8_t, 4096> bytes{};
  ssize_t size = 0;
  for (off_t at = 0; (size = ::pread(file_.get(), bytes.data(), bytes.size(), at)) > 0; at += size)
    for (std::size_t i = 0; i < static_cast<std::size_t>(size); ++i)
      if (bytes[i] < counts.size()) ++counts[bytes[i]];
  return counts;
}

}  // namespace bulkhead::attack
