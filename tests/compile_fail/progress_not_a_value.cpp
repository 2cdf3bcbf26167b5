// expect: bulkhead: a Progress must be movable and default constructible
#include "bulkhead/service.hpp"

struct Probe {
  using Response = int;
  using Progress = const double&;
};

struct Thumbnailer : bulkhead::Service<"thumbnailer", Probe> {};
