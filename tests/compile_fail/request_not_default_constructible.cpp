// expect: bulkhead: a request must be default constructible
#include "bulkhead/service.hpp"

struct Probe {
  using Response = int;
  explicit Probe(int);
};

struct Thumbnailer : bulkhead::Service<"thumbnailer", Probe> {};
