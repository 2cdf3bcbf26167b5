// expect: bulkhead: a request must name its answer
#include "bulkhead/service.hpp"

struct Probe {};

struct Thumbnailer : bulkhead::Service<"thumbnailer", Probe> {};
