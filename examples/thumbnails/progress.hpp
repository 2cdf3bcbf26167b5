// One line on the terminal that says how far the work is; nothing where there is no terminal.
#pragma once

#include <chrono>
#include <cstddef>

class Progress {
 public:
  explicit Progress(std::size_t total);
  void draw(std::size_t done, std::size_t failed, std::size_t workers_replaced) const;
  void erase() const;

 private:
  std::size_t total_;
  bool terminal_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};
