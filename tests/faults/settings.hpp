// What a process has set up for itself, and that a library which is a good guest in it leaves
// alone.
#pragma once

#include <map>
#include <string>

namespace bulkhead::test {

// What it is about -> how it is set: signals, limits, locale, folder, environment, timers and so
// on, of this process and, where each thread has its own, of this thread.
using Settings = std::map<std::string, std::string>;
Settings own_settings();

// A line for each that is not the same; empty where all are.
std::string changes(const Settings& before, const Settings& now);

// Sets each of them to what nobody has by chance. Signals are counted, but for those of a crash.
void make_own_settings(const std::string& folder);
// How many of them have come, but for ends of children.
int signals_counted();

}  // namespace bulkhead::test
