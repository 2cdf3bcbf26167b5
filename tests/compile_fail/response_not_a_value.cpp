// expect: bulkhead: a Response must be void, or movable and default constructible
#include "bulkhead/service.hpp"

struct Probe {
  using Response = int&;
};

struct Thumbnailer : bulkhead::Service<"thumbnailer", Probe> {};
