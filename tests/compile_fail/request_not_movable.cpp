// expect: bulkhead: a request must be movable
#include "bulkhead/service.hpp"

struct Probe {
  using Response = int;
  Probe() = default;
  Probe(const Probe&) = delete;
};

struct Thumbnailer : bulkhead::Service<"thumbnailer", Probe> {};
