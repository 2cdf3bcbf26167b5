// The app's end, in long histories with a peer that keeps the rules, but not always.
#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <set>

#include "rpc/hostile_peer.hpp"

namespace {

using namespace bulkhead::rpc;
using namespace bulkhead::test;
namespace ipc = bulkhead::ipc;
using Received = AppEnd::Received;

// A worker that answers, and now and then breaks a rule, in a history of calls.
class Campaign {
 public:
  explicit Campaign(std::uint64_t seed) : random_(seed) {}

  void turn() {
    if (one_of(2) && open_.size() < 8) give();
    if (one_of(32)) take_back();
    while (const auto head = ends_->peer.read()) seen_.push_back(*head);
    if (one_of(32)) ends_->peer.slots[random_() % 8] = word();
    if (!seen_.empty()) answer();
    receive();
  }
  // The end of this peer: every call that was not settled before is left.
  void end() {
    const auto left = ends_->app.drain();
    for (const auto* calls : {&left.begun, &left.not_begun})
      for (const OpenCall& open : *calls) settle(open.id);
    if (!open_.empty()) FAIL(open_.size() << " calls were lost");
    ends_ = std::make_unique<HostileEnds>();
    seen_.clear();
  }

  int messages = 0, violations = 0, answers = 0, refused = 0;

 private:
  bool one_of(unsigned count) { return random_() % count == 0; }

  void give() {
    open_.insert(++last_);
    ends_->app.hand_over(call(last_, bytes(one_of(16) ? random_() % 6000 : random_() % 64)));
  }
  void settle(CallId id) {
    if (open_.erase(id) != 1) FAIL("call " << id << " was settled twice");
  }
  void take_back() {
    for (const OpenCall& open : ends_->app.take_back(1 + random_() % 3)) settle(open.id);
    ends_->app.flush();
  }
  std::uint64_t word() {
    return one_of(2) ? random_() : random_() % 4 | random_() % (2 * last_ + 1) << 2;
  }

  void answer() {
    const std::size_t which = random_() % seen_.size();
    Head head = Peer::answer(seen_[which], one_of(16) ? random_() % 1000 : random_() % 64);
    head.kind = static_cast<Kind>(unsigned(Kind::response) + random_() % 3);
    if (!one_of(64)) seen_.erase(seen_.begin() + static_cast<std::ptrdiff_t>(which));
    Bytes message(sizeof head + head.size);
    std::memcpy(message.data(), &head, sizeof head);
    if (one_of(16)) mutate(message);
    send(message);
  }
  void mutate(Bytes& message) {
    switch (random_() % 3) {
      case 0:
        message[random_() % sizeof(Head)] ^= static_cast<std::byte>(1 << random_() % 8);
        break;
      case 1:
        message[random_() % sizeof(Head)] = static_cast<std::byte>(random_());
        break;
      case 2:
        message.resize(random_() % (2 * message.size()));
    }
  }
  void send(std::span<const std::byte> message) {
    ++messages;
    for (bool more = true; more;) {
      const std::size_t most = one_of(4) ? 1 + random_() % 300 : 900;
      const auto part = message.first(std::min(message.size(), most));
      message = message.subspan(part.size());
      more = !message.empty();
      if (!ends_->peer.write(part, more ? ipc::more : 0)) return;
    }
  }

  void receive() {
    for (Received got; (got = ends_->receive()) != Received::nothing;) {
      if (got == Received::violation) return ++violations, end();
      const auto& head = ends_->message.head;
      const auto& bytes = ends_->message.bytes;
      if (bytes.size() != sizeof(Head) + head.size || head.size > max_message)
        FAIL("a message of " << bytes.size() << " bytes came through");
      if (head.kind == Kind::ready || head.kind == Kind::refused) continue;
      const auto open = ends_->app.close(head);
      if (!open) return ++refused, end();
      if (open->id != head.id) FAIL("call " << open->id << " took the answer of another");
      settle(open->id);
      ++answers;
    }
    ends_->app.flush();
  }

  std::mt19937_64 random_;
  std::unique_ptr<HostileEnds> ends_ = std::make_unique<HostileEnds>();
  std::set<CallId> open_;
  std::vector<Head> seen_;
  CallId last_ = 0;
};

}  // namespace

TEST_CASE("Two hundred thousand messages of a peer that breaks rules settle every call once") {
  Campaign campaign(20240229);
  while (campaign.messages < 200'000) campaign.turn();
  campaign.end();
  CHECK(campaign.answers > 100'000);
  CHECK(campaign.violations > 1'000);
  CHECK(campaign.refused > 1'000);
}
