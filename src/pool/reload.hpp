// How a pool comes to run a new program, worker by worker, as rules: what happened goes in, what
// must be done comes out. No I/O, no thread, no clock.
//
//   idle ─▶ launching ─ serves ─▶ clearing ⇄ starting ─▶ idle
//
// A new worker is started beside the others. When it is ready, one of the old is asked to leave;
// when that has left, the next is started. With the first that is ready the new program has taken
// over: from then on all workers are started from it.
#pragma once

#include <cstdint>

namespace bulkhead::pool {

class Reload {
 public:
  enum class Stage : std::uint8_t {
    idle,
    launching,  // the new fork server is to serve
    clearing,   // whoever was asked to leave is to be gone
    starting,   // a new worker is to get ready
  };
  enum class Act : std::uint8_t {
    nothing,
    start,      // a worker of the new fork server, beside the others
    take_over,  // the new fork server, from the one before
    retire,     // one worker, an old one if there is one
    done,
  };
  // What there is of the pool.
  struct View {
    bool leaving = false;      // workers that were asked to leave
    bool surplus = false;      // more workers than there are to be
    bool old_workers = false;  // of other fork servers than the new one
    bool old_servers = false;
  };

  Stage stage() const { return stage_; }
  bool running() const { return stage_ != Stage::idle; }
  bool taken_over() const { return taken_over_; }

  void begin();  // and the new fork server is launched
  void serves();
  Act ready();  // the worker that was started
  // The new fork server or the worker that was started has failed, or the pool ends. False when
  // there was nothing to give up.
  bool failed();
  // To be asked until it says `nothing`, whenever something has changed.
  Act look(const View& view);

 private:
  Stage stage_ = Stage::idle;
  bool taken_over_ = false;
};

}  // namespace bulkhead::pool
