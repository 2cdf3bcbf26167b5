// Workers that write nonsense into the memory of a channel.
#include <catch2/catch.hpp>

#include "faults/channels.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

bool is_senders(BadChannel bad) {
  return bad != BadChannel::head_ahead && bad != BadChannel::taken_ahead &&
         bad != BadChannel::taken_back;
}
bool is_receivers(BadChannel bad) {
  return !is_senders(bad) || bad == BadChannel::everything || bad == BadChannel::closed_bell;
}

PoolOptions one_worker() {
  return {.workers = 1, .restart = {.count = 0}, .max_message = std::size_t{1} << 20};
}

void check_violated(const Error& call, const Error& channel) {
  CHECK(channel.code() == errc::channel_closed);
  CHECK(call.code() == errc::worker_crashed);
  REQUIRE(call.crash());
  CHECK(call.crash()->cause == Cause::protocol_violation);
}

}  // namespace

// Fault hostile.channel (one call): a worker writes frames, positions, counts and states into a
// channel's memory that cannot be, or items that are none, or closes the channel's doorbell.
// Then: it is ended with `protocol_violation`; the app's end is `channel_closed`.
TEST_CASE("a worker that sends what cannot be is ended") {
  const LeakCheck leaks;
  for (int i = 1; i < static_cast<int>(BadChannel::count); ++i) {
    const auto bad = static_cast<BadChannel>(i);
    if (!is_senders(bad)) continue;
    INFO(i);
    ChannelPool pool(one_worker());
    auto [sender, receiver] = channel<Item>(4);
    auto call = pool.run(ForgeChannel{.bad = bad, .out = std::move(sender)});
    const Error error = channel_error_of([&, &from = receiver] {
      while (from.receive()) continue;
    });
    check_violated(error_of(std::move(call)), error);
  }
}

// Fault hostile.channel (one call)
TEST_CASE("a worker that receives what was not sent is ended") {
  const LeakCheck leaks;
  for (int i = 1; i < static_cast<int>(BadChannel::count); ++i) {
    const auto bad = static_cast<BadChannel>(i);
    if (!is_receivers(bad)) continue;
    INFO(i);
    ChannelPool pool(one_worker());
    auto [sender, receiver] = channel<Item>(4);
    auto call = pool.run(ForgeChannel{.bad = bad, .in = std::move(receiver)});
    // Large ones, so that it needs to know how much room there is.
    const Error error = channel_error_of([&, &to = sender] {
      for (;;) to.send({0, std::string(30'000, 'x')});
    });
    check_violated(error_of(std::move(call)), error);
  }
}
