// Which handler serves which request. A handler whose parameter can be read serves exactly that
// request; a generic or overloaded one serves those that are left and that it can be called with.
// One that returns an awaitable is a coroutine.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
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

// What a handler's caller gets of its result.
template <class Result>
struct Answer {
  using Type = Result;
  static constexpr bool is_awaited = false;
};
template <class T>
struct Answer<boost::asio::awaitable<T>> {
  using Type = T;
  static constexpr bool is_awaited = true;
};

template <class Handler, class Request>
using AnswerOf = Answer<decltype(call_handler(std::declval<Handler&>(), std::declval<Request&>(),
                                              std::declval<Context&>()))>;

template <class Request, class Handler>
struct CheckResult {
  using Result = typename AnswerOf<Handler, Request>::Type;
  static constexpr bool value = std::is_convertible_v<Result, ResponseOf<Request>>;
  static_assert(value, "bulkhead: the handler's result does not convert to the request's Response");
};

// The one handler of the request R, out of all; none where there is a mistake.
template <class R, class... Handlers>
constexpr bool has_handler() {
  if constexpr (CheckServed<R, Handlers...>::value) {
    using All = std::tuple<Handlers...>;
    return CheckResult<R, std::tuple_element_t<handler_index<R, Handlers...>(), All>>::value;
  } else {
    return false;
  }
}
template <class R, class... Handlers>
auto& handler_of(std::tuple<Handlers...>& handlers) {
  return std::get<handler_index<R, Handlers...>()>(handlers);
}

// Decode, call, encode.
template <class R, class... Handlers>
void serve_request(std::tuple<Handlers...>& handlers, std::span<const std::byte> bytes,
                   Context& context, Buffer& response) {
  R request = decode<R>(bytes, context.carrier());
  context.serves(progress_type<R>);
  if constexpr (std::is_void_v<ResponseOf<R>>) {
    call_handler(handler_of<R>(handlers), request, context);
  } else {
    const ResponseOf<R>& result = call_handler(handler_of<R>(handlers), request, context);
    encode(response, result, context.carrier());
  }
}

// The same. The request lives as long as its handler, which may take it by reference.
template <class R, class... Handlers>
boost::asio::awaitable<void> serve_request_by_coroutine(std::tuple<Handlers...>& handlers,
                                                        std::span<const std::byte> bytes,
                                                        Context& context, Buffer& response) {
  R request = decode<R>(bytes, context.carrier());
  context.serves(progress_type<R>);
  if constexpr (std::is_void_v<ResponseOf<R>>) {
    co_await call_handler(handler_of<R>(handlers), request, context);
  } else {
    const ResponseOf<R> result = co_await call_handler(handler_of<R>(handlers), request, context);
    encode(response, result, context.carrier());
  }
}

// How one request is served: by one of the two.
template <class... Handlers>
struct Server {
  using Plain = void (*)(std::tuple<Handlers...>&, std::span<const std::byte>, Context&, Buffer&);
  using Coroutine = boost::asio::awaitable<void> (*)(std::tuple<Handlers...>&,
                                                     std::span<const std::byte>, Context&, Buffer&);
  Plain plain = nullptr;
  Coroutine coroutine = nullptr;
};

template <class R, class... Handlers>
constexpr Server<Handlers...> server_of() {
  if constexpr (has_handler<R, Handlers...>()) {
    using All = std::tuple<Handlers...>;
    using Handler = std::tuple_element_t<handler_index<R, Handlers...>(), All>;
    if constexpr (AnswerOf<Handler, R>::is_awaited)
      return {.coroutine = serve_request_by_coroutine<R, Handlers...>};
    else
      return {.plain = serve_request<R, Handlers...>};
  } else {
    return {};
  }
}

template <class... Handlers>
class HandlerDispatcher final : public Dispatcher {
 public:
  using Servers = std::span<const Server<Handlers...>>;

  HandlerDispatcher(Servers servers, auto&&... handlers)
      : servers_(servers), handlers_(std::forward<decltype(handlers)>(handlers)...) {}

  void serve(std::uint32_t request_index, std::span<const std::byte> request, Context& context,
             Buffer& response) override {
    if (request_index >= servers_.size()) {
      throw Refused("request " + std::to_string(request_index) + " of a service that has " +
                    std::to_string(servers_.size()));
    }
    servers_[request_index].plain(handlers_, request, context, response);
  }

  bool has_coroutines() const noexcept override {
    return std::any_of(servers_.begin(), servers_.end(),
                       [](const auto& server) { return server.coroutine != nullptr; });
  }
  bool is_coroutine(std::uint32_t request_index) const noexcept override {
    return request_index < servers_.size() && servers_[request_index].coroutine != nullptr;
  }
  boost::asio::awaitable<void> serve_coroutine(std::uint32_t request_index,
                                               std::span<const std::byte> request, Context& context,
                                               Buffer& response) override {
    return servers_[request_index].coroutine(handlers_, request, context, response);
  }

 private:
  const Servers servers_;
  std::tuple<Handlers...> handlers_;
};

template <class S, class... Handlers>
std::unique_ptr<Dispatcher> make_dispatcher(Handlers&&... handlers) {
  using Result = HandlerDispatcher<std::decay_t<Handlers>...>;
  return ListOf<S>::apply([&]<class... Requests>() -> std::unique_ptr<Dispatcher> {
    static_assert((CheckHandler<std::decay_t<Handlers>,
                                Requests...>::template among<std::decay_t<Handlers>...>() &&
                   ...));
    static constexpr std::array<Server<std::decay_t<Handlers>...>, sizeof...(Requests)> servers = {
        server_of<Requests, std::decay_t<Handlers>...>()...};
    return std::make_unique<Result>(servers, std::forward<Handlers>(handlers)...);
  });
}

}  // namespace bulkhead::detail
