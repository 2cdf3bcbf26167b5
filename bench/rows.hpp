// Each fills in some of the rows, ours beside the floor.
#pragma once

#include "figures.hpp"
#include "measure.hpp"

namespace bulkhead::bench {

void measure_calls(Figures& figures, Effort effort);      // calls.cpp
void measure_asleep(Figures& figures, Effort effort);     // asleep.cpp
void measure_busy(Figures& figures, Effort effort);       // busy.cpp
void measure_curves(Figures& figures, Effort effort);     // curves.cpp
void measure_threads(Figures& figures, Effort effort);    // threads.cpp
void measure_async(Figures& figures, Effort effort);      // async.cpp
void measure_starts(Figures& figures, Effort effort);     // starts.cpp
void measure_recovery(Figures& figures, Effort effort);   // recovery.cpp
void measure_crashes(Figures& figures, Effort effort);    // crashes.cpp
void measure_spare(Figures& figures, Effort effort);      // spare.cpp
void measure_preloaded(Figures& figures, Effort effort);  // preloaded.cpp
void measure_bytes(Figures& figures, Effort effort);      // bytes.cpp
void measure_channels(Figures& figures, Effort effort);   // channels.cpp
void measure_texts(Figures& figures, Effort effort);      // texts.cpp

// Some call what only they need: in a process launched to serve that, these serve it.
void serve_asleep_if_worker();
void serve_preloaded_if_worker();
void serve_channels_if_worker();
void serve_crashes_if_worker();

}  // namespace bulkhead::bench
