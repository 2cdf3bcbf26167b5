// Keys whose calls took too many workers down: for a while their calls are refused. Then they may
// take down as many again. Holds a bounded number of reports: past it the first key goes free.
// No I/O, no thread, no clock. Lives under the lock of its owner.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "bulkhead/error.hpp"
#include "pool/keys.hpp"

namespace bulkhead::pool {

class Quarantine {
 public:
  using Key = detail::Key;
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds lasts{30};
  static constexpr std::size_t most = 1024;

  // `limit`: how many workers the calls of a key may take down, that one included; 0: any number.
  explicit Quarantine(unsigned limit) : limit_(limit) {}

  unsigned limit() const { return limit_; }
  // One of its calls took a worker down. True: it is to be put here.
  bool charge(Key& key) const { return limit_ > 0 && !key.refusal && ++key.charged >= limit_; }
  void put(const std::shared_ptr<Key>& key, const Error& why, Time now) {
    key->refusal = std::make_shared<const Error>(why);
    key->refused_until = now + lasts;
    inmates_.push_back({key, key->refused_until});
    release(now);
  }
  // Why a call of it is refused; null: it is not.
  std::shared_ptr<const Error> objection(const Key& key, Time now) {
    if (!key.refusal) return nullptr;
    release(now);
    return key.refusal;
  }
  static void clear(Key& key) {
    key.charged = 0;
    key.refusal.reset();
  }
  std::size_t size() const { return inmates_.size(); }  // with those that were cleared

 private:
  struct Inmate {
    std::shared_ptr<Key> key;
    Time until;
  };

  // One that was cleared may have come back since.
  void release(Time now) {
    for (; !inmates_.empty() && (inmates_.front().until <= now || inmates_.size() > most);
         inmates_.pop_front())
      if (const Inmate& first = inmates_.front(); first.key->refused_until == first.until)
        clear(*first.key);
  }

  const unsigned limit_;
  std::deque<Inmate> inmates_;  // in the order of their ends
};

}  // namespace bulkhead::pool
