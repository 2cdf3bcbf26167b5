// Bytes, and the standard types that a request may be made of. They need no header of cereal's; one
// that is included all the same changes nothing.
#pragma once

#include "bulkhead/detail/codec_associative.hpp"
#include "bulkhead/detail/codec_bytes.hpp"
#include "bulkhead/detail/codec_sequences.hpp"
#include "bulkhead/detail/codec_values.hpp"
