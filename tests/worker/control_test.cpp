// The packets between an app and its fork server.
#include "worker/control.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <random>
#include <stdexcept>

namespace {

using namespace bulkhead::worker;
using bulkhead::platform::Ending;

template <class Message>
Message returned(const Message& message) {
  if constexpr (std::is_same_v<Message, Order>)
    return unpack_order(pack(message));
  else
    return unpack_notice(pack(message));
}

const std::vector<Order> orders = {
    StartWorker{.number = 7, .segment = "bulkhead-0123", .max_message = std::uint64_t{1} << 40},
    SignalWorker{.number = 8, .signal = SIGKILL},
    Confine{.confinement = {.contained = false, .limits = {.memory = 4096, .core = 0}},
            .best_effort = true},
};
const std::vector<Notice> notices = {
    Serving{.roof = "/sys/fs/cgroup/bulkhead",
            .containment = {.session = {true, "setsid"}, .processes = {false, "not asked for"}}},
    Refused{.why = "its preload threw", .not_enforced = true},
    Started{.number = 7, .pid = 4711},
    NotStarted{.number = 7, .error = ENOMEM, .why = "cannot fork"},
    Ended{.number = 7, .ending = {.how = Ending::How::killed, .status = SIGSEGV}},
};

}  // namespace

TEST_CASE("An order arrives as it was sent") {
  const auto start = std::get<StartWorker>(returned(orders[0]));
  CHECK(start.number == 7);
  CHECK(start.segment == "bulkhead-0123");
  CHECK(start.max_message == std::uint64_t{1} << 40);
  const auto signal = std::get<SignalWorker>(returned(orders[1]));
  CHECK(signal.number == 8);
  CHECK(signal.signal == SIGKILL);
  const auto confine = std::get<Confine>(returned(orders[2]));
  CHECK(confine.best_effort);
  CHECK_FALSE(confine.confinement.contained);
  CHECK(confine.confinement.limits.memory == 4096U);
  CHECK(confine.confinement.limits.core == 0U);
  CHECK_FALSE(confine.confinement.limits.cpu);
}

TEST_CASE("A notice arrives as it was sent") {
  const auto serving = std::get<Serving>(returned(notices[0]));
  CHECK(serving.roof == "/sys/fs/cgroup/bulkhead");
  CHECK(serving.containment.session.in_force);
  CHECK(serving.containment.session.how == "setsid");
  CHECK_FALSE(serving.containment.processes.in_force);
  CHECK(serving.containment.processes.how == "not asked for");
  CHECK(std::get<Refused>(returned(notices[1])).why == "its preload threw");
  CHECK(std::get<Refused>(returned(notices[1])).not_enforced);
  const auto started = std::get<Started>(returned(notices[2]));
  CHECK(started.number == 7);
  CHECK(started.pid == 4711);
  const auto not_started = std::get<NotStarted>(returned(notices[3]));
  CHECK(not_started.number == 7);
  CHECK(not_started.error == ENOMEM);
  CHECK(not_started.why == "cannot fork");
}

TEST_CASE("How a worker ended arrives with all that it used") {
  Ended sent{.number = 9, .ending = {.how = Ending::How::dumped, .status = SIGABRT}};
  sent.ending.usage.ru_utime.tv_usec = 123'456;
  sent.ending.usage.ru_maxrss = 65'536;
  sent.ending.usage.ru_nivcsw = 42;  // its last word
  const auto got = std::get<Ended>(returned(Notice(sent)));
  CHECK(got.number == 9);
  CHECK(got.ending.how == Ending::How::dumped);
  CHECK(got.ending.status == SIGABRT);
  CHECK(got.ending.usage.ru_utime.tv_usec == 123'456);
  CHECK(got.ending.usage.ru_maxrss == 65'536);
  CHECK(got.ending.usage.ru_nivcsw == 42);
}

TEST_CASE("A packet that is cut short at any byte, or goes on, is refused with an exception") {
  const auto check = [](const std::vector<std::byte>& packet, auto unpack) {
    for (std::size_t size = 0; size < packet.size(); ++size) {
      CAPTURE(size);
      REQUIRE_THROWS_AS(unpack(std::span(packet).first(size)), std::runtime_error);
    }
    auto longer = packet;
    longer.push_back(std::byte{0});
    REQUIRE_THROWS_AS(unpack(longer), std::runtime_error);
  };
  for (const Order& order : orders) check(pack(order), unpack_order);
  for (const Notice& notice : notices) check(pack(notice), unpack_notice);
}

TEST_CASE("Any packet is a message or an exception") {
  std::mt19937 random(4711);
  for (int i = 0; i < 20'000; ++i) {
    auto packet = pack(notices[random() % notices.size()]);
    for (auto changes = random() % 3; changes > 0; --changes)
      packet[random() % packet.size()] = static_cast<std::byte>(random());
    try {
      unpack_notice(packet);
      unpack_order(packet);
    } catch (const std::runtime_error&) {
    }
  }
}
