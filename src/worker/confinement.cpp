#include "worker/confinement.hpp"

#include "platform/limits.hpp"
#include "platform/proc.hpp"
#include "worker/measures.hpp"

namespace bulkhead::worker {

Confinement confinement_of(const Sandbox& sandbox) {
  return {sandbox.level() >= Sandbox::Level::contained, sandbox.limits()};
}

void confine(const Confinement& confinement) {
  if (confinement.contained) platform::set_no_new_privs();
  if (confinement.contained && !confinement.limits.core) platform::forbid_core_dumps();
  for (const LimitRow& row : all_limits)
    if (const auto value = confinement.limits.*row.limit) platform::limit(row.resource, *value);
}

}  // namespace bulkhead::worker
