// The requests of the service that the fault tests call, each to do one thing in its worker: good,
// bad or fatal. What a hostile worker does is in hostile_requests.hpp.
#pragma once

#include <sys/types.h>

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace bulkhead::test {

// ------------------------------------------------------------ plain ones

struct Echo {
  using Response = std::string;
  std::string text;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text);
  }
};

struct Add {
  using Response = int;
  static constexpr bool idempotent = true;
  int a = 0, b = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(a, b);
  }
};

struct Nothing {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Double {
  using Response = std::unique_ptr<int>;
  std::unique_ptr<int> number;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number);
  }
};

struct Answer {
  using Response = std::string;
  std::uint64_t size = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(size);
  }
};

// Writes its process's id into `begun`, and returns it once there is a file `until`.
struct Block {
  using Response = pid_t;
  std::string begun, until;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(begun, until);
  }
};

// The same, and may run twice.
struct BlockAgain : Block {
  static constexpr bool idempotent = true;
};

// Runs itself, with one less to go, in a pool of its own; gives the ids of all who ran. The last
// writes its id into `blocked`, if that is a file's name, and never answers.
struct Nest {
  using Response = std::vector<pid_t>;
  unsigned deeper = 0;
  std::string blocked = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(deeper, blocked);
  }
};

// Runs until there is a file `until`, and may be tried again. Notes in `log` its name and process
// when it begins and when it ends.
struct Linger {
  using Response = pid_t;
  static constexpr bool idempotent = true;
  std::string name, log, until;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(name, log, until);
  }
};

// Computes for so long, by the clock of its own thread.
struct Compute {
  using Response = void;
  int milliseconds = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(milliseconds);
  }
};

// Appends `line` to the file `log`: whoever counts the lines knows how often it was run.
struct Note {
  using Response = void;
  std::string log, line;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(log, line);
  }
};

// ------------------------------------------------------------ looking around

struct View {
  pid_t pid = 0, parent = 0, session = 0;
  bool input_is_empty = false;
  std::size_t threads = 0;
  std::uint64_t core_limit = 0;
  bool open_to_debuggers = false;
  std::string directory;
  std::vector<std::string> arguments, environment, descriptors;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(pid, parent, session, input_is_empty, threads, core_limit, open_to_debuggers, directory,
       arguments, environment, descriptors);
  }
};

struct LookAround {
  using Response = View;
  template <class Archive>
  void serialize(Archive&) {}
};

// The process's id, and the call's number as its Context says it.
struct WhoAmI {
  using Response = std::pair<pid_t, std::uint64_t>;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Say {
  using Response = void;
  std::string text;
  int descriptor = 2;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text, descriptor);
  }
};

// Writes `line` to standard output and error until that is `size` bytes, then a last line, and
// aborts.
struct Flood {
  using Response = void;
  std::uint64_t size = 0;
  std::string line;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(size, line);
  }
};

// ------------------------------------------------------------ ends of the process

enum class Death : std::uint8_t {
  segmentation_fault,
  abort,
  illegal_instruction,
  division_by_zero,
  bus_error,
  stack_overflow,
  kill,
  bad_system_call,
  exit_0,
  exit_3,
  throw_through_noexcept,
  end_of_thread,
  jump_to_nowhere,
  throw_in_thread,
  crash_of_fork,
};

struct Die {
  using Response = void;
  Death death = Death::abort;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(death);
  }
};

// Aborts each process that runs it; each first appends its id to `log`.
struct Poison {
  using Response = void;
  static constexpr bool idempotent = true;
  std::string log;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(log);
  }
};

// From now on its process has these faults (platform/fault.hpp). Its own response comes to the
// first of the points that a response comes to.
struct Inject {
  using Response = void;
  std::string faults;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(faults);
  }
};

// ------------------------------------------------------------ exceptions

enum class Thrown : std::uint8_t { standard, other, huge, binary };

struct Throw {
  using Response = void;
  Thrown thrown = Thrown::standard;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(thrown);
  }
};

// Where a type's own serialization does what it should not.
enum class Where : std::uint8_t {
  nowhere,
  saving_request,
  loading_request,
  dying_while_loading_request,
  saving_response,
  loading_response,
};

struct Troubled {
  Where where = Where::nowhere;
  template <class Archive>
  void save(Archive& ar) const {
    if (where == Where::saving_response) throw std::runtime_error("trouble in saving a response");
    ar(where);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(where);
    if (where == Where::loading_response) throw std::runtime_error("trouble in loading a response");
  }
};

struct Trouble {
  using Response = Troubled;
  Where where = Where::nowhere;
  template <class Archive>
  void save(Archive& ar) const {
    if (where == Where::saving_request) throw std::runtime_error("trouble in saving a request");
    ar(where);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(where);
    if (where == Where::loading_request) throw std::runtime_error("trouble in loading a request");
    if (where == Where::dying_while_loading_request) std::abort();
  }
};

// ------------------------------------------------------------ processes of its own

enum class Helper : std::uint8_t { child, own_session, grandchild };

// Starts one that waits for ever and holds all that its parent has open; gives its id.
struct Start {
  using Response = pid_t;
  Helper helper = Helper::child;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(helper);
  }
};

enum class Greed : std::uint8_t { descriptors, threads, processes };

// Takes up to `most` of them, and keeps them; gives how many it has got.
struct Grab {
  using Response = std::uint64_t;
  Greed greed = Greed::descriptors;
  std::uint64_t most = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(greed, most);
  }
};

// Keeps so many bytes of memory for ever.
struct Leak {
  using Response = void;
  std::uint64_t bytes = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bytes);
  }
};

}  // namespace bulkhead::test
