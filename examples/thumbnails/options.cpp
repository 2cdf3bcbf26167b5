#include "options.hpp"

#include <charconv>
#include <string>

namespace {

int number(const std::string& option, const std::string& text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw UsageError(option + " takes a number from " + std::to_string(least) + " to " +
                     std::to_string(most) + ", not '" + text + "'");
  }
  return value;
}

}  // namespace

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
    const std::string& option = *argument;
    if (!option.starts_with("-")) {
      if (!std::filesystem::is_directory(option)) throw UsageError("no such folder: " + option);
      options.folders.emplace_back(option);
      continue;
    }
    if (option != "--workers" && option != "--out" && option != "--max-side") {
      throw UsageError("unknown option: " + option);
    }
    if (++argument == arguments.end()) throw UsageError(option + " needs a value");
    if (option == "--workers") {
      options.workers = static_cast<std::size_t>(number(option, *argument, 1, 1000));
    } else if (option == "--max-side") {
      options.max_side = number(option, *argument, 1, 10000);
    } else {
      options.out = *argument;
    }
  }
  if (options.folders.empty()) throw UsageError("no folder given");
  return options;
}
