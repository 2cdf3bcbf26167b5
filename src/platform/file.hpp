// Reading a file of the user's.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// Errors are std::system_error that name the path.
class FileReader {
 public:
  explicit FileReader(std::string path);
  std::size_t size() const { return size_; }  // when it was opened
  // From its beginning; how many there were.
  std::size_t read(std::span<std::byte> into) const;

 private:
  std::string path_;
  Fd file_;
  std::size_t size_ = 0;
};

}  // namespace bulkhead::platform
