#include "worker/forwarded_output.hpp"

#include "platform/stdio.hpp"

namespace bulkhead::worker {

ForwardedOutput::ForwardedOutput(reactor::Reactor& reactor, platform::Fd read_end, int number)
    : output_(std::move(read_end),
              [number](std::string_view line) {
                std::string whole(line);
                whole += '\n';
                platform::write_stdio(number, whole);
              }),
      watch_(reactor) {}

bool ForwardedOutput::drain() {
  if (output_.drain() != platform::Io::end) return true;
  watch_.stop();
  return false;
}

void ForwardedOutput::finish() {
  watch_.stop();
  output_.finish();
}

}  // namespace bulkhead::worker
