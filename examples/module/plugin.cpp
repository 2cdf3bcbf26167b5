// A plugin: a shared library whose function examples/module/app.cpp calls in a worker. It knows
// neither the application nor how it is called.
#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "text_filter.hpp"

namespace {

std::string shout(Filter filter) {
  if (filter.text.empty()) throw std::invalid_argument("there is nothing to shout");
  std::transform(filter.text.begin(), filter.text.end(), filter.text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return filter.text + '!';
}

}  // namespace

BULKHEAD_MODULE(TextFilter, shout)
