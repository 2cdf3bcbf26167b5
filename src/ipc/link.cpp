#include "ipc/link.hpp"

#include "platform/fault.hpp"

namespace bulkhead::ipc {

Link::Link(End end, Segment segment, Doorbell bell)
    : segment_(std::move(segment)),
      bell_(std::move(bell)),
      my_core_(end == End::app ? segment_.hints().app_core : segment_.hints().worker_core),
      peer_core_(end == End::app ? segment_.hints().worker_core : segment_.hints().app_core),
      listeners_(bell_),
      writer_(end == End::app ? segment_.to_worker() : segment_.to_app()),
      for_room_(my_core_, peer_core_),
      reader_(end == End::app ? segment_.to_app() : segment_.to_worker()),
      for_frame_(my_core_, peer_core_) {
  Spinner::publish(my_core_, core_word());
}

Write Link::send(std::span<const std::byte> head, std::span<const std::byte> body,
                 std::uint32_t flags) {
  const auto [write, sleeper] = send_unrung(head, body, flags);
  if (sleeper) ring(*sleeper);
  return write;
}

Link::Unrung Link::send_unrung(std::span<const std::byte> head, std::span<const std::byte> body,
                               std::uint32_t flags) {
  publish_core_now_and_then();
  const Write written = writer_.try_write(head, body, flags);
  if (written != Write::done) return {written};
  for_room_.over();
  platform::fault_point("link.before_ring");
  return {written, writer_.must_wake_reader()};
}

bool Link::spin_for_room(std::size_t payload, SpinPolicy::Time limit) {
  return for_room_.spin(limit, [&] { return writer_.has_room(payload) || writer_.violated(); });
}

bool Link::arm_for_room(std::size_t payload) { return writer_.prepare_sleep(payload); }

Read Link::receive(Buffer& out) {
  const Read got = reader_.read(out);
  if (got == Read::part || got == Read::frame) {
    for_frame_.over();
    if (reader_.must_wake_writer()) bell_.ring();
  }
  return got;
}

bool Link::spin_for_frame(SpinPolicy::Time limit) {
  return for_frame_.spin(limit, [&] { return reader_.ready(); });
}

Wake Link::wait_for_frame(Deadline deadline) {
  if (worker_spins_for_frame()) return Wake::ready;
  return sleep(
      deadline, [&] { return arm(); }, [&] { disarm(); });
}

Wake Link::wait_for_room(std::size_t payload, Deadline deadline) {
  if (spin_for_room(payload, worker_limit())) return Wake::ready;
  return sleep(
      deadline, [&] { return arm_for_room(payload); }, [&] { disarm_for_room(); });
}

// `arm` says in shared memory that we sleep, and is true if we must not. What was published before
// the other end closed is not lost: every turn looks once more before it believes the bell.
template <class Arm, class Disarm>
Wake Link::sleep(Deadline deadline, Arm arm, Disarm disarm) {
  for (Bell heard = Bell::rung;;) {
    const std::uint32_t ticket = listeners_.ticket();
    if (arm()) return Wake::ready;
    if (heard != Bell::rung) {
      disarm();
      return heard == Bell::closed ? Wake::closed : Wake::timeout;
    }
    heard = listeners_.wait(ticket, deadline);
  }
}

SpinPolicy::Time Link::worker_limit() const {
  return SpinPolicy::Time(segment_.hints().worker_spin_limit_ns.load(std::memory_order_relaxed));
}

// For one that never waits: whoever does says it then.
void Link::publish_core_now_and_then() {
  constexpr unsigned frames_between = 16;
  if (sent_++ % frames_between == 0) Spinner::publish(my_core_, core_word());
}

}  // namespace bulkhead::ipc
