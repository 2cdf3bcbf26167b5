// expect: bulkhead: a service lists the same request twice
#include "bulkhead/service.hpp"

struct Probe {
  using Response = int;
};

struct Thumbnailer : bulkhead::Service<"thumbnailer", Probe, Probe> {};
