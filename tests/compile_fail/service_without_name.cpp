// expect: bulkhead: a service needs a name
#include "bulkhead/service.hpp"

struct Probe {
  using Response = int;
};

struct Thumbnailer : bulkhead::Service<"", Probe> {};
