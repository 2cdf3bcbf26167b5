// A worker that breaks the rules of the memory that it shares for a channel.
#pragma once

#include "faults/service/channel_service.hpp"

namespace bulkhead::test {

void forge_channel(ForgeChannel request);

}  // namespace bulkhead::test
