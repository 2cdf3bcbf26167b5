// The worker's end of a connection: requests come in, claimed one by one; answers go out.
// For one thread. Trusts the app, which may vanish at any moment.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "ipc/link.hpp"
#include "rpc/wire.hpp"

namespace bulkhead::rpc {

class WorkerEnd {
 public:
  WorkerEnd(ipc::Segment segment, ipc::Doorbell bell, std::size_t max_message);

  struct Request {
    Head head;
    ipc::Buffer bytes;  // the head's and the body's
    std::span<const std::byte> body() const { return std::span(bytes).subspan(sizeof(Head)); }
  };
  enum class Next { request, leave, app_gone };
  // Waits for the next request that the app has not taken back. From here on it counts as begun.
  Next next(Request& request);

  // These wait for room in the ring, and return false when the app is gone.
  bool ready();
  bool refuse(std::string_view why);
  bool respond(const Head& request, std::span<const std::byte> response);
  bool report_exception(const Head& request, std::string_view type, std::string_view what);

 private:
  bool claim(const Head& head);
  bool take_up(Request& request);
  bool send(Head head, std::span<const std::byte> body);

  ipc::Link link_;
  const std::size_t max_message_;
};

}  // namespace bulkhead::rpc
