// A request that does harm at one step of its way there and back, and one that kills other workers.
#pragma once

#include <sys/types.h>

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bulkhead::test {

enum class Harm : std::uint8_t { throws, exits, aborts, is_killed };

// The steps of a call: the first and the last are taken in the app, the others in the worker.
enum class Step : std::uint8_t {
  packing_request,
  unpacking_request,
  running,
  packing_response,
  unpacking_response,
  none,
};

void do_harm(Harm harm);

// Does it where this type comes to its step.
template <Step packing, Step unpacking>
struct Harmful {
  Harm harm = Harm::throws;
  Step step = Step::none;
  std::string payload = {};
  template <class Archive>
  void save(Archive& ar) const {
    ar(harm, step, payload);
    if (step == packing) do_harm(harm);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(harm, step, payload);
    if (step == unpacking) do_harm(harm);
  }
};

struct Harmed : Harmful<Step::packing_response, Step::unpacking_response> {};

// Answers what it was given, as far as it comes.
struct Hurt : Harmful<Step::packing_request, Step::unpacking_request> {
  using Response = Harmed;
};

// Kills those of these processes that are workers of the same pool, but not itself.
struct KillSiblings {
  using Response = void;
  std::vector<pid_t> pids;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(pids);
  }
};

}  // namespace bulkhead::test
