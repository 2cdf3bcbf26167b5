#include "progress.hpp"

#include <unistd.h>

#include <cstdio>

Progress::Progress(std::size_t total) : total_(total), terminal_(::isatty(STDOUT_FILENO) == 1) {}

// The line ends at its own start, so that a worker's words on standard error begin a line.
void Progress::draw(std::size_t done, std::size_t failed, std::size_t workers_replaced) const {
  if (!terminal_) return;
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start_;
  std::printf("\r\033[K%zu of %zu images, %.0f files/s, %zu failed, %zu workers replaced\r", done,
              total_, static_cast<double>(done) / time.count(), failed, workers_replaced);
  std::fflush(stdout);
}

void Progress::erase() const {
  if (terminal_) std::printf("\r\033[K");
}
