// Runs part of a test in a forked process, which may ignore signals, become a subreaper or die
// without harm to the other tests. Catch's assertions do not work there: use expect().
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace bulkhead::test {

// Ends the child's part: the message goes to standard error, with the place.
void expect(bool condition, const std::string& what = {}, const char* file = __builtin_FILE(),
            int line = __builtin_LINE());

// The wait status of the child; 0 when `part` returned. One that is not done after a minute is
// killed.
int in_child(const std::function<void()>& part);

// The child without waiting for it; to be reaped by the caller.
pid_t start_in_child(const std::function<void()>& part);

}  // namespace bulkhead::test
