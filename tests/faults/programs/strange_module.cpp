// A module built from another version of the library: it greets as one of protocol 99.
#include <unistd.h>

#include "faults/service/test_service.hpp"
#include "platform/socket.hpp"
#include "worker/handshake.hpp"

extern "C" __attribute__((visibility("default"))) void bulkhead_module() {
  using namespace bulkhead;
  const auto launch = worker::launched();
  if (!launch) return;
  const platform::Fd control(launch->control);
  platform::send_packet(
      control, worker::pack(worker::Greeting{
                   .protocol = 99, .contract = detail::contract_of<test::ModuleService>()}));
  for (;;) ::pause();
}
