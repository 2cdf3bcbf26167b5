// The life of one pool under fire, and of one that nobody touches.
#pragma once

#include <stop_token>

#include "torture/findings.hpp"
#include "torture/plan.hpp"

namespace bulkhead::torture {

// Starts the pool, calls it, carries out the orders, ends it, and checks all that must hold then.
void run_round(const Round& round, Findings& findings);

// The same calls without any order, until it is to stop: not one of them may be disturbed.
void run_untouched(const std::stop_token& stop, Findings& findings);

}  // namespace bulkhead::torture
