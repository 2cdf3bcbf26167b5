// expect: bulkhead: the handler's result does not convert to the request's Response
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

auto dispatcher =
    bulkhead::detail::make_dispatcher<Thumbnailer>(make_thumbnail, [](Probe) { return 7; });
