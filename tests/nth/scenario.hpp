// What an application does while one of its calls fails, or one of its fork server's.
#pragma once

#include <string>
#include <vector>

namespace bulkhead::nth {

// For the workers of the scenario.
void serve_if_worker();

// Starts a pool, makes calls of several kinds, loses a worker and gets another, and shuts down, as
// far as it comes. Then it looks whether what has failed left anything behind, and whether another
// pool works. What went wrong with what must not, a line each.
std::vector<std::string> play();

}  // namespace bulkhead::nth
