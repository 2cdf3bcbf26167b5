// A worker that breaks the rules of the memory that it shares for a channel.
#pragma once

#include "faults/service/channel_service.hpp"

namespace bulkhead::test {

// Before there is a channel.
void note_bells_of_connection();
void forge_channel(ForgeChannel request);

}  // namespace bulkhead::test
