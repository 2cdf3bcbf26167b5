// expect: bulkhead: the handler's result does not convert to the request's Response
#include <boost/asio/awaitable.hpp>
#include <string>

#include "bulkhead/detail/handlers.hpp"

struct Thumbnail {
  using Response = std::string;
  int value = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(value);
  }
};
struct Probe {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};
struct Other {};

struct Thumbnailer : bulkhead::Service<"thumbnailer", Thumbnail, Probe> {};

std::string make_thumbnail(const Thumbnail& request);
void probe(Probe, bulkhead::Context& context);

auto dispatcher = bulkhead::detail::make_dispatcher<Thumbnailer>(
    [](Thumbnail) -> boost::asio::awaitable<int> { co_return 7; }, probe);
