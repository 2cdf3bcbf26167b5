// The command line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <vector>

struct Options {
  std::vector<std::filesystem::path> folders;
  std::filesystem::path out = "contact-sheet";
  std::size_t workers = 0;  // 0: one for each core
  int max_side = 256;       // of a thumbnail, in pixels
};

// What is wrong with the command line; what() says it to the user.
struct UsageError : std::runtime_error {
  using runtime_error::runtime_error;
};

Options parse_options(const std::vector<std::string>& arguments);
