// The packets between an app and its fork server. What is one comes out as it went in; anything
// else is an exception.
#include "worker/control.hpp"

#include <stdexcept>

#include "fuzz/input.hpp"

using namespace bulkhead;

namespace {

template <class Message>
void look_at(std::span<const std::byte> packet, Message (*unpack)(std::span<const std::byte>)) {
  try {
    const auto packed = worker::pack(unpack(packet));
    fuzz::require(worker::pack(unpack(packed)) == packed);
  } catch (const std::runtime_error&) {
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = fuzz::Input(data, size).rest();
  look_at(packet, worker::unpack_order);
  look_at(packet, worker::unpack_notice);
  return 0;
}
