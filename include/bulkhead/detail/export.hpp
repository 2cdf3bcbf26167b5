// Marks what a program may take from a shared libbulkhead; everything else in it is hidden. Types
// that are thrown carry it too: both sides must agree on what they are.
#pragma once

#define BULKHEAD_API [[gnu::visibility("default")]]
