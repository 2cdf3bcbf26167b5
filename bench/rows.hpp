// Each fills in some of the rows, ours beside the floor.
#pragma once

#include "figures.hpp"
#include "measure.hpp"

namespace bulkhead::bench {

void measure_calls(Figures& figures, Effort effort);     // calls.cpp
void measure_starts(Figures& figures, Effort effort);    // starts.cpp
void measure_recovery(Figures& figures, Effort effort);  // recovery.cpp
void measure_spare(Figures& figures, Effort effort);     // spare.cpp
void measure_bytes(Figures& figures, Effort effort);     // bytes.cpp
void measure_texts(Figures& figures, Effort effort);     // texts.cpp

}  // namespace bulkhead::bench
