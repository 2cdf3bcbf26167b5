// What a pool has to do as something goes wrong, and what must have come of each call of it. A test
// puts a load on a pool, lets a fault happen, and settles:
//
//   Traffic traffic(pool, load);
//   ::kill(traffic.victim(), SIGKILL);
//   CHECK(traffic.settle({.died = {traffic.victim()}, .signal = SIGKILL}) == Complaints{});
//
// settle() looks at every call: those of workers that lived are answered by these same workers,
// those that had not begun are answered, those that had begun fail with a report of their worker
// or, if they are idempotent, are answered by another; then the pool has all of its workers, and
// nothing to do. Nothing here uses Catch, so that it may be used in child processes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "faults/calls.hpp"

namespace bulkhead::test {

enum class Load {
  idle,
  one_call,   // which runs, and is not idempotent
  many_calls  // one runs in each worker, the second of them idempotent; all kinds of them wait
};
const std::vector<Load> all_loads{Load::idle, Load::one_call, Load::many_calls};
const char* name(Load load);

// The ways to get workers, between which a fault may make a difference.
struct Way {
  const char* name;
  Launch launch;
};
std::vector<Way> all_ways();  // forked, forked without cgroups, executed

// What is wrong, in words.
using Complaints = std::vector<std::string>;

// What must come of the calls.
struct Fate {
  std::vector<pid_t> died = {};  // workers whose begun calls have lost them
  std::optional<Cause> cause = {};
  std::optional<int> signal = {};
  // How others end if they are not answered: calls that had not begun or are idempotent ...
  std::optional<errc> unanswered = {};
  // ... and those that run in workers that did not die.
  std::optional<errc> cut_off = {};
};

class Traffic {
 public:
  static constexpr std::size_t workers = 3;

  // Returns once the calls that run have begun. `pool` has `workers` of them.
  Traffic(TestPool& pool, Load load);
  ~Traffic();  // lets the calls go
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  // The first worker; it runs a call that is not idempotent, unless the pool is idle.
  pid_t victim() const { return pids_[0]; }
  // The second; of many calls, an idempotent one runs there.
  pid_t second() const { return pids_[1]; }
  const std::vector<pid_t>& all() const { return pids_; }
  pid_t fork_server() const { return fork_server_; }

  // More calls, of all kinds, that are answered or fail in their own ways.
  void mix(int rounds);
  // A call of the test's own; `expected` says what is wrong with its end, or nothing.
  using Expected = std::function<std::string(const Error*)>;
  template <class T>
  void add(std::string name, Future<T> call, Expected expected) {
    others_.push_back({std::move(name), [call = share(std::move(call))] { return end_of(*call); },
                       std::move(expected)});
  }

  // Returns once all its workers have ended: they do so a moment later.
  void kill_fork_server();
  // Whether the pool answers while the calls that ran still run: by successors of those that died.
  bool answers();
  // Lets the calls that run go, without waiting for them.
  void let_go() const { gate_.open(); }
  // Looks at all of them.
  Complaints settle(const Fate& fate);
  // The same of a pool that is over, and has no workers any more.
  Complaints settle_over(const Fate& fate);

 private:
  using End = std::optional<Error>;  // empty: answered
  struct Running {
    std::string name;
    pid_t worker;
    bool idempotent;
    Future<pid_t> call;
  };
  struct Waiting {
    std::string name;
    std::function<std::string(std::optional<errc> unanswered)> complaint;
  };
  struct Other {
    std::string name;
    std::function<End()> end;
    Expected expected;
  };

  template <class T>
  static std::shared_ptr<Future<T>> share(Future<T> call) {
    return std::make_shared<Future<T>>(std::move(call));
  }
  template <class T>
  static End end_of(Future<T>& call) {
    try {
      static_cast<void>(value_of(std::move(call)));
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }
  template <class R, class Right>
  void ask(const std::string& name, R request, Right right);
  template <class R>
  void ask_for(const std::string& name, R request, errc failure);
  void run_one(bool idempotent);
  void meet_workers();
  std::string look_at(Running& running, const Fate& fate);
  Complaints look_at_calls(const Fate& fate);

  TestPool& pool_;
  Gate gate_;
  std::vector<pid_t> pids_;
  pid_t fork_server_ = 0;
  std::vector<Running> running_;
  std::vector<Waiting> waiting_;
  std::vector<Other> others_;
  std::size_t asked_ = 0;
};

}  // namespace bulkhead::test
