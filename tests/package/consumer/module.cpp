// The same functions, for the stock worker program.
#include "numbers.hpp"

BULKHEAD_MODULE(Numbers, twice, crash, who_serves)
