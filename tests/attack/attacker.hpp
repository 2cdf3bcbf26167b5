// What a worker does that has been taken over.
#pragma once

#include "attack/service.hpp"

namespace bulkhead::attack {

// Once, before there are calls.
void prepare();
void attack(const Attack& request, const Context& context);

}  // namespace bulkhead::attack
