// The typed handlers of a service, as the compiled core sees them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bulkhead/detail/buffer.hpp"

namespace bulkhead {

class Context;

namespace detail {

// Serves the requests of one service, by their index in its list.
// May be called from several threads at once, as far as the handlers may.
class Dispatcher {
 public:
  virtual ~Dispatcher() = default;
  // Unpacks `request`, runs its handler, and appends the packed response. Throws what they throw;
  // `response` is then as it was.
  virtual void serve(std::uint32_t request_index, std::span<const std::byte> request,
                     Context& context, Buffer& response) = 0;

  // Whether any of the handlers is a coroutine; whether this request's is.
  virtual bool has_coroutines() const noexcept = 0;
  virtual bool is_coroutine(std::uint32_t request_index) const noexcept = 0;
  // As serve(), for those. All that it is given is needed until the coroutine is gone.
  virtual boost::asio::awaitable<void> serve_coroutine(std::uint32_t request_index,
                                                       std::span<const std::byte> request,
                                                       Context& context, Buffer& response) = 0;
};

}  // namespace detail
}  // namespace bulkhead
