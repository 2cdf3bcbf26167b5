// Calls of keys that took too many workers down.
#include <utility>

#include "pool/calls.hpp"
#include "worker/crash_stack.hpp"

namespace bulkhead::pool {

namespace {

Error refusal(const std::string& service, const std::string& key, unsigned limit,
              const Error& crash) {
  return Error(errc::request_quarantined,
               service + ": calls with the key \"" + key + "\" are refused for " +
                   std::to_string(Quarantine::lasts.count()) + " s: they took " +
                   std::to_string(limit) +
                   " workers down (poison_limit); the last: " + crash.what(),
               {}, detail::Reports::of(crash));
}

}  // namespace

// Sorts out one that a dead worker had. Its last crash is what the caller of a guilty one gets.
void Calls::sort_out(rpc::OpenCall& open, rpc::CallLife::Run run, const Why& why, Lost& lost) {
  using Then = rpc::CallLife::Step::Then;
  const unsigned charged = open.life.charged();
  if (open.call->ends_are_gone()) open.life.try_no_more();
  const rpc::CallLife::Step step = open.life.worker_lost(run);
  const auto& key = open.call->key;
  open.call->at.store(detail::Call::nowhere, std::memory_order_relaxed);
  const bool guilty = key && open.life.charged() > charged && quarantine_.charge(*key);
  if (guilty) {
    const Error crash = why(open, Failure::crashed);
    quarantine_.put(key, refusal(service_, key->name, quarantine_.limit(), crash), Clock::now());
    lost.condemned.push_back(key);
  }
  const bool may_move = open.call->only_for == 0;
  if (step.then == Then::requeue && !closed_ && !guilty && may_move)
    lost.again.push_back(std::move(open));
  else if (step.then != Then::nothing)
    lost.failed.push_back(
        {std::move(open), step.then == Then::fail ? step.failure : Failure::crashed});
  else
    open.call->drop_carried();
}

// Those that wait, and then those that are not let in yet.
Calls::Refused Calls::take_calls_of(const std::shared_ptr<detail::Key>& key) {
  Refused refused{.why = key->refusal};
  for (auto& open : queue_.take_those_of(*key)) refused.calls.push_back(std::move(open.call));
  key->queued = 0;
  if (const auto home = keys_.home(*key)) {
    auto kept = seats_[*home].own.take_those_of(*key);
    kept_ -= kept.size();
    unreserve_if_done(*home);
    for (auto& open : kept) refused.calls.push_back(std::move(open.call));
  }
  for (const auto& call : outside_)
    if (call->key == key) refused.outside.push_back(call);
  for (const auto& call : refused.outside) leave_outside(*call);
  return refused;
}

void Calls::refuse(const Refused& refused) {
  for (const auto& call : refused.calls) fail(*call, std::make_exception_ptr(*refused.why));
  for (const auto& call : refused.outside) turn_away(*call, *refused.why);
}

void Calls::clear_quarantine(const std::string& key) {
  if (!home_.here()) return;
  const std::lock_guard lock(mutex_);
  Quarantine::clear(*keys_.find(key));
}

}  // namespace bulkhead::pool
