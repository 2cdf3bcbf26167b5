// Who gets what: the least loaded worker first, some calls ahead so that no worker starves, and
// some of them back when another worker has a thread free. A call that must run alone goes to a
// worker that holds nothing, which gets nothing else until it is done.
// Calls so short that waking a worker takes longer than they do are crowded onto a few of them.
// Counts only: no I/O, no thread, no clock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace bulkhead::pool {

class Schedule {
 public:
  using Member = std::size_t;  // a worker's place in the pool, from 0
  // How a call may run: beside others in its worker, or alone there.
  enum class Run : bool { beside_others, alone };

  // `ahead`: how many calls a worker may hold, those that it runs included. One that runs more at
  // once may hold as many as it runs.
  Schedule(std::size_t members, std::size_t ahead)
      : places_(members), ahead_(ahead), most_busy_(members) {}

  // It is ready, with nothing to do, and runs so many calls at once: at least one.
  void joined(Member member, std::size_t at_once = 1);
  void retire(Member member);  // it gets no more calls, and counts until it has answered its last
  void left(Member member);    // it ended; what it held is counted elsewhere
  bool present(Member member) const { return places_[member].at_once > 0; }
  // It was retired, and has answered its last.
  bool spent(Member member) const { return places_[member].retired && load(member) == 0; }
  bool is_retired(Member member) const { return places_[member].retired; }
  std::size_t members() const { return present_; }  // without the retired

  // Other than the constructor said, from now on. Those that hold more keep it.
  void hold_ahead(std::size_t calls) { ahead_ = calls; }

  // It alone gets no more than it runs, while there is something that nobody else may run.
  void reserve(Member member, bool reserved) { places_[member].reserved = reserved; }
  // It runs no two at once, so that each call is alone in it.
  bool runs_one_by_one(Member member) const { return places_[member].at_once == 1; }
  bool takes(Member member, Run run) const { return takes(places_[member], run); }

  // Whom to give the next call to, if anyone: for one that must run alone, none may be there until
  // a worker has done all that it holds. Nobody is to be given another call before that.
  std::optional<Member> pick(Run run = Run::beside_others) const;
  // Onto how many workers calls are crowded, as long as these take more; usually all. Those that
  // are stuck do not count.
  void crowd(std::size_t most) { most_busy_ = most; }
  // Whether it has answered nothing for a while.
  void note_stuck(Member member, bool stuck) { places_[member].stuck = stuck; }
  // Another one would take what waits there, and come to it soon.
  bool others_take(Member member) const;
  void gave(Member member, Run run = Run::beside_others);  // it was given a call
  void returned(Member member, std::size_t count = 1);     // answered, or taken back from it

  std::size_t load(Member member) const { return places_[member].load; }
  // It would begin with another call at once.
  bool has_free_thread(Member member) const;
  std::size_t waiting(Member member) const { return places_[member].waiting(); }
  // Calls that workers run: of those that each holds, as many as it runs at once.
  std::size_t running() const { return running_; }

  // A worker has a thread free and nothing waits: from whom to take how many calls back, the latest
  // first. Not from these.
  struct Theft {
    Member from;
    std::size_t count;
  };
  std::optional<Theft> relief_for(Member free, const std::vector<Member>& not_from = {}) const;

 private:
  struct Place {
    std::size_t at_once = 0;  // 0: no worker there
    std::size_t load = 0;     // calls held
    bool alone = false;       // the one that it holds is to stay alone
    bool retired = false;
    bool stuck = false;
    bool reserved = false;
    std::size_t running() const { return std::min(load, at_once); }
    std::size_t waiting() const { return load - running(); }
  };
  bool takes(const Place& place, Run run) const;
  std::optional<Member> pick_from_all(Run run) const;
  std::optional<Member> pick_from_crowd(Run run) const;
  bool is_less(Member one, Member other) const;

  std::vector<Place> places_;
  std::size_t ahead_;
  std::size_t present_ = 0;
  std::size_t running_ = 0;
  std::size_t most_busy_;
};

}  // namespace bulkhead::pool
