// One history of a pool: calls come, are called off or too late, workers begin, answer, die, leave
// and are replaced, in an order that a seed decides, one step at a time. What each call ends with
// is compared with what it may end with.
//
// The calls' side of the pool is the real one (pool/calls.hpp); the workers are puppets.
#pragma once

#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "bulkhead/bulkhead.hpp"
#include "pool/calls.hpp"
#include "pool/puppet.hpp"

namespace bulkhead::test {

struct RunOnce {
  using Response = int;
  int call = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(call);
  }
};
struct RunAgain : RunOnce {
  static constexpr bool idempotent = true;
};
struct Simulated : Service<"simulated", RunOnce, RunAgain> {};

class History final : public pool::Calls::Listener, public std::enable_shared_from_this<History> {
 public:
  // `puppets`: at least four; they are as new again afterwards.
  static std::shared_ptr<History> make(std::uint64_t seed, std::vector<std::unique_ptr<Puppet>>&);
  explicit History(std::uint64_t seed) : dice_(seed) {}

  // Empty: all went as it must. Else what did not.
  std::string play();

 private:
  using Member = pool::Calls::Member;
  struct Asked {
    std::shared_ptr<detail::TypedCall<int>> call;
    RunOptions options;
    bool idempotent = false;
    int begun = 0, answered = 0;  // how often
    bool called_off = false, broadcast = false;
  };
  struct Place {
    Puppet* puppet = nullptr;
    bool there = false, retired = false;
  };

  // What may happen:
  void ask();
  void ask_each_worker();
  void begin();
  void answer();
  void look();
  void die();
  void come_back();
  void retire();
  void call_off();
  void look_at_deadlines();
  void make_round();

  void step();
  void end_by_draining();
  void end_by_shutting_down();
  void submit(bool idempotent, RunOptions options, std::uint64_t only_for = 0);
  void join(Member member);
  void leave(Member member, bool dead);
  void do_what_was_told();
  Asked& asked_by(const std::vector<std::byte>& request);

  void check_nobody_idles();
  void check_end();
  void check(const Asked& asked);
  bool may_end_with(const Asked& asked, errc code) const;
  void complain(const std::string& what);

  // Calls::Listener
  void worker_violated(pool::Calls::Worker worker, std::string how) override;
  void worker_spent(pool::Calls::Worker worker) override;
  void worker_overdue(pool::Calls::Worker worker, Cause why) override;
  void all_settled() override {}
  void rounds_are_due() override {}
  void calls_wait() override {}
  void worker_worn(pool::Calls::Worker) override {}
  void work_was_done() override {}
  void deadline_ahead(pool::Calls::Clock::time_point) override {}
  bool progress_came(const std::shared_ptr<detail::Call>&) override { return false; }

  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(dice_);
  }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::optional<Member> some_place(bool there);

  std::mt19937_64 dice_;
  std::vector<Place> places_;
  std::shared_ptr<pool::Calls> calls_;
  std::vector<Asked> asked_;
  std::set<Member> to_leave_, to_die_;  // as the calls have told
  unsigned attempts_ = 1;
  bool one_by_one_ = true;  // no worker runs several at once
  bool shut_down_ = false;
  std::string complaint_;
};

}  // namespace bulkhead::test
