// What an answer from a worker makes of its call.
#pragma once

#include <exception>
#include <string>

#include "bulkhead/detail/call.hpp"
#include "rpc/app_end.hpp"

namespace bulkhead::rpc {

struct Verdict {
  std::exception_ptr error;  // null: the call has its response
  std::string violation;     // not empty: no worker answers so, and the call has no answer
};

// Lets the call take its response, which runs its type's own code: never under a lock. Settles
// nothing. `worker` names it in errors: "thumbnailer worker 4711".
// `blobs`: of its connection; null if no bytes go beside messages there. `wanted`: else the call is
// settled, and the response is only looked at.
Verdict judge(detail::Call& call, const AppEnd::Message& answer, const std::string& worker,
              AppBlobs* blobs = nullptr, bool wanted = true);

struct Told {
  bool turn_is_due = false;    // of the call's progress
  std::string violation = {};  // not empty: no worker tells so
};

// Lets the call take a progress value, which runs its type's own code: never under a lock. What
// that throws is logged, and the value dropped.
Told take_progress(detail::Call& call, const AppEnd::Message& message);

}  // namespace bulkhead::rpc
