#include "worker/forwarded_output.hpp"

#include "platform/stdio.hpp"

namespace bulkhead::worker {

process::OnLine ForwardedOutput::to_own(int number) {
  return
      [number](std::string_view line) { platform::write_stdio(number, std::string(line) + '\n'); };
}

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
