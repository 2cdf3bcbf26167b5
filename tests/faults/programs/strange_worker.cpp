// A program that greets as a worker does, and is none that this library would make. Its argument:
//   protocol N   speaks protocol N
//   garbage      sends what is no greeting
//   cut          sends half of a greeting
//   silent       greets, and says nothing more
//   babble       greets, and goes on with what is no notice
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "faults/service/test_service.hpp"
#include "platform/socket.hpp"
#include "worker/handshake.hpp"

int main(int argc, char** argv) {
  using namespace bulkhead;
  const std::string what = argc > 1 ? argv[1] : "";
  const auto launch = worker::launched();
  if (!launch) return 64;
  const platform::Fd control(launch->control);
  worker::Greeting greeting{.contract = detail::contract_of<test::TestService>()};
  if (what == "protocol") greeting.protocol = static_cast<std::uint32_t>(std::atoi(argv[2]));
  auto packet = worker::pack(greeting);
  const std::vector<std::byte> noise(1000, std::byte{0xA5});
  if (what == "garbage") packet = noise;
  if (what == "cut") packet.resize(packet.size() / 2);
  platform::send_packet(control, packet);
  if (what == "babble") platform::send_packet(control, noise);
  for (;;) ::pause();
}
