// What each worker confines itself to before it runs anything of the user's.
#pragma once

#include "bulkhead/sandbox.hpp"

namespace bulkhead::worker {

struct Confinement {
  bool contained = true;  // Sandbox::Level::contained, or above
  Sandbox::Limits limits = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(contained, limits.memory, limits.cpu, limits.open_files, limits.file_size, limits.processes,
       limits.core);
  }
};
Confinement confinement_of(const Sandbox& sandbox);

// This process, from here on. Throws std::system_error.
void confine(const Confinement& confinement);

}  // namespace bulkhead::worker
