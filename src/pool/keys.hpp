// Which worker the calls of a key go to: the one that the first of them went to, until it leaves.
// Keys that no call holds are forgotten when there are too many, the one first that was not used
// for longest. No I/O, no thread, no clock. Lives under the lock of its owner.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bulkhead/error.hpp"

namespace bulkhead::detail {

// What a pool knows of a key. Calls hold theirs.
struct Key {
  std::string name;
  std::optional<std::size_t> home = {};  // a worker's place in the pool ...
  std::uint64_t tenure = 0;              // ... and the how manyth to have it
  std::size_t queued = 0;                // calls that wait among all others
  // As Quarantine has it: how many workers its calls took down, and why they are refused.
  unsigned charged = 0;
  std::shared_ptr<const Error> refusal = {};
  std::chrono::steady_clock::time_point refused_until = {};
};

}  // namespace bulkhead::detail

namespace bulkhead::pool {

class Keys {
 public:
  using Key = detail::Key;
  using Member = std::size_t;
  static constexpr std::size_t usually_remembered = 65'536;

  explicit Keys(std::size_t members, std::size_t remembered = usually_remembered)
      : tenures_(members), remembered_(remembered) {}

  std::shared_ptr<Key> find(const std::string& name) {
    if (const auto found = keys_.find(name); found != keys_.end()) {
      by_use_.splice(by_use_.end(), by_use_, found->second);
      return *found->second;
    }
    forget_some();
    auto key = std::make_shared<Key>(Key{.name = name});
    keys_[key->name] = by_use_.insert(by_use_.end(), key);
    return key;
  }
  std::size_t size() const { return keys_.size(); }

  // Empty: its calls may go to any.
  std::optional<Member> home(const Key& key) const {
    return key.home && tenures_[*key.home] == key.tenure ? key.home : std::nullopt;
  }
  void settle(Key& key, Member member) const {
    key.home = member;
    key.tenure = tenures_[member];
  }
  // Nobody is at home there any more.
  void left(Member member) { ++tenures_[member]; }

 private:
  using List = std::list<std::shared_ptr<Key>>;  // the latest used last

  // Two for each that comes: so the table shrinks again once calls hold fewer.
  void forget_some() {
    for (int tries = 0; tries < 2 && keys_.size() >= remembered_; ++tries) {
      const auto oldest = by_use_.begin();
      if (oldest->use_count() > 1) {
        by_use_.splice(by_use_.end(), by_use_, oldest);
        continue;
      }
      keys_.erase((*oldest)->name);
      by_use_.erase(oldest);
    }
  }

  std::vector<std::uint64_t> tenures_;  // by member
  const std::size_t remembered_;
  List by_use_;
  std::unordered_map<std::string_view, List::iterator> keys_;  // the names are the keys' own
};

}  // namespace bulkhead::pool
