// What a launched program says first, be it a worker or anything else.
#include "worker/handshake.hpp"

#include "fuzz/input.hpp"

using namespace bulkhead;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = fuzz::Input(data, size).rest();
  const auto greeting = worker::unpack_greeting(packet);
  if (!greeting) return 0;
  static const detail::Contract expected{
      .service = "calculator", .version = 1, .requests = {"Add"}};
  const auto objects = worker::objection(expected, *greeting);
  fuzz::require(!objects || objects->what()[0] != '\0');
  if (greeting->protocol != worker::protocol_version) return 0;
  const auto again = worker::unpack_greeting(worker::pack(*greeting));
  fuzz::require(again && again->contract == greeting->contract &&
                again->offered == greeting->offered && again->says == greeting->says);
  return 0;
}
