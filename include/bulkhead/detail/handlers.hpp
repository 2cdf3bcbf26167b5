// Which handler serves which request. A handler whose parameter can be read serves exactly that
// request; a generic or overloaded one serves those that are left and that it can be called with.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "bulkhead/context.hpp"
#include "bulkhead/detail/codec.hpp"
#include "bulkhead/detail/dispatcher.hpp"
#include "bulkhead/detail/refused.hpp"
#include "bulkhead/detail/signature.hpp"
#include "bulkhead/service.hpp"

namespace bulkhead::detail {

// A mutable reference is none: the request is the handler's own, to take or to read.
template <class P>
concept TakesRequest =
    !std::is_lvalue_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>;

template <class H>
constexpr bool has_handler_shape() {
  using P = ParametersOf<H>;
  if constexpr (P::count == 1) {
    return TakesRequest<typename P::template at<0>>;
  } else if constexpr (P::count == 2) {
    return TakesRequest<typename P::template at<0>> &&
           std::same_as<typename P::template at<1>, Context&>;
  } else {
    return false;
  }
}

template <class H, class R>
constexpr bool reads_as_handler_of() {
  if constexpr (Readable<H>) {
    if constexpr (has_handler_shape<H>()) {
      return std::same_as<std::remove_cvref_t<typename ParametersOf<H>::template at<0>>, R>;
    }
  }
  return false;
}

template <class R, class... Handlers>
constexpr bool is_left = !(reads_as_handler_of<Handlers, R>() || ...);

template <class H, class R>
concept CalledWithContext = std::invocable<H&, R, Context&>;
template <class H, class R>
concept CalledAlone = std::invocable<H&, R>;

// Asks a generic handler only about requests that are left: asking may already compile its body.
template <class H, class R, class... Handlers>
constexpr bool serves() {
  if constexpr (Readable<H>) {
    return reads_as_handler_of<H, R>();
  } else if constexpr (is_left<R, Handlers...>) {
    return CalledWithContext<H, R> || CalledAlone<H, R>;
  } else {
    return false;
  }
}

template <class R, class... Handlers>
constexpr std::size_t handler_index() {
  std::size_t index = 0;
  static_cast<void>(((serves<Handlers, R, Handlers...>() || (++index, false)) || ...));
  return index;
}

template <class H, class R>
decltype(auto) call_handler(H& handler, R& request, Context& context) {
  if constexpr (CalledWithContext<H, R>) {
    return std::invoke(handler, std::move(request), context);
  } else {
    return std::invoke(handler, std::move(request));
  }
}

template <class Handler, class... Requests>
struct CheckHandler {
  template <class... Handlers>
  static constexpr bool among() {
    if constexpr (Readable<Handler>) {
      static_assert(has_handler_shape<Handler>(),
                    "bulkhead: a handler takes its request by value, const& or &&, and after it "
                    "nothing or a Context&");
    }
    static_assert((serves<Handler, Requests, Handlers...>() || ...),
                  "bulkhead: this handler serves no request of the service");
    return true;
  }
};

template <class Request, class... Handlers>
struct CheckServed {
  static constexpr std::size_t count =
      (std::size_t{serves<Handlers, Request, Handlers...>()} + ... + 0);
  static_assert(count != 0, "bulkhead: no handler serves this request");
  static_assert(count < 2, "bulkhead: two handlers serve this request");
  static constexpr bool value = count == 1;
};

template <class Request, class Handler>
struct CheckResult {
  using Result = decltype(call_handler(std::declval<Handler&>(), std::declval<Request&>(),
                                       std::declval<Context&>()));
  static constexpr bool value = std::is_convertible_v<Result, ResponseOf<Request>>;
  static_assert(value, "bulkhead: the handler's result does not convert to the request's Response");
};

// The one handler of the request R, out of all: decode, call, encode.
template <class R, class... Handlers>
void serve_request(std::tuple<Handlers...>& handlers, std::span<const std::byte> bytes,
                   Context& context, Buffer& response) {
  if constexpr (CheckServed<R, Handlers...>::value) {
    constexpr std::size_t index = handler_index<R, Handlers...>();
    using Handler = std::tuple_element_t<index, std::tuple<Handlers...>>;
    if constexpr (CheckResult<R, Handler>::value) {
      R request = decode<R>(bytes, context.carrier());
      context.serves(progress_type<R>);
      if constexpr (std::is_void_v<ResponseOf<R>>) {
        call_handler(std::get<index>(handlers), request, context);
      } else {
        const ResponseOf<R>& result = call_handler(std::get<index>(handlers), request, context);
        encode(response, result, context.carrier());
      }
    }
  }
}

template <class... Handlers>
class HandlerDispatcher final : public Dispatcher {
 public:
  using Server = void (*)(std::tuple<Handlers...>&, std::span<const std::byte>, Context&, Buffer&);

  HandlerDispatcher(std::span<const Server> servers, auto&&... handlers)
      : servers_(servers), handlers_(std::forward<decltype(handlers)>(handlers)...) {}

  void serve(std::uint32_t request_index, std::span<const std::byte> request, Context& context,
             Buffer& response) override {
    if (request_index >= servers_.size()) {
      throw Refused("request " + std::to_string(request_index) + " of a service that has " +
                    std::to_string(servers_.size()));
    }
    servers_[request_index](handlers_, request, context, response);
  }

 private:
  const std::span<const Server> servers_;
  std::tuple<Handlers...> handlers_;
};

template <class S, class... Handlers>
std::unique_ptr<Dispatcher> make_dispatcher(Handlers&&... handlers) {
  using Result = HandlerDispatcher<std::decay_t<Handlers>...>;
  return ListOf<S>::apply([&]<class... Requests>() -> std::unique_ptr<Dispatcher> {
    static_assert((CheckHandler<std::decay_t<Handlers>,
                                Requests...>::template among<std::decay_t<Handlers>...>() &&
                   ...));
    static constexpr std::array<typename Result::Server, sizeof...(Requests)> servers = {
        serve_request<Requests, std::decay_t<Handlers>...>...};
    return std::make_unique<Result>(servers, std::forward<Handlers>(handlers)...);
  });
}

}  // namespace bulkhead::detail
