/// @file
/// Everything: calling workers, being one, and cereal's support for strings and standard
/// containers.
/// @namespace bulkhead
/// All names of the library; those in `detail` are its own.
#pragma once

#include "bulkhead/bytes.hpp"
#include "bulkhead/caller.hpp"
#include "bulkhead/channel.hpp"
#include "bulkhead/detail/std_types.hpp"
#include "bulkhead/error.hpp"
#include "bulkhead/future.hpp"
#include "bulkhead/inline_pool.hpp"
#include "bulkhead/log.hpp"
#include "bulkhead/pool.hpp"
#include "bulkhead/sandbox.hpp"
#include "bulkhead/serve.hpp"
#include "bulkhead/service.hpp"
#include "bulkhead/worker.hpp"
