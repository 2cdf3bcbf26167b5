#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <random>

#include "faults/service/handlers.hpp"
#include "faults/service/own_segment.hpp"

namespace bulkhead::test {

namespace {

constexpr std::uint32_t own_request = detail::request_index<SendForged, TestService>;

void ring() {
  for (const int socket : own_sockets()) ::send(socket, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// The head, and behind it a body of so many bytes.
std::vector<std::byte> message(const rpc::Head& head, std::size_t body = 0) {
  std::vector<std::byte> bytes(sizeof head + body);
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes;
}

// Sends what differs from the head of the right answer in one thing.
void send_other_head(const OwnSegment& segment, Message kind, rpc::Head head) {
  switch (kind) {
    case Message::second_answer:
      segment.publish(message(head));
      break;
    case Message::unknown_call:
      head.id += 1000;
      break;
    case Message::unknown_ticket:
      head.ticket += 1;
      break;
    case Message::slot_out_of_range:
      head.slot = 1u << 31;
      break;
    case Message::other_request:
      head.request = 0;
      break;
    case Message::of_kind_request:
      head.kind = rpc::Kind::request;
      break;
    case Message::of_kind_leave:
      head.kind = rpc::Kind::leave;
      break;
    case Message::of_unknown_kind:
      head.kind = rpc::Kind{99};
      break;
    case Message::ready_again:
      head = {.slot = 1, .kind = rpc::Kind::ready};
      break;
    case Message::refused_late:
      head = {.kind = rpc::Kind::refused};
      break;
    case Message::shorter_than_announced:
      head.size = 100;
      break;
    case Message::larger_than_any:
      head.size = std::uint64_t{1} << 50;
      break;
    default:
      break;
  }
  segment.publish(message(head));
}

void send(const OwnSegment& segment, Message kind, const rpc::Head& head) {
  switch (kind) {
    case Message::longer_than_announced:
      return segment.publish(message(head, 100));
    case Message::without_head:
      return segment.publish(std::vector<std::byte>(8));
    case Message::with_empty_part:
      segment.publish(message({.id = head.id,
                               .ticket = head.ticket,
                               .slot = head.slot,
                               .kind = head.kind,
                               .request = head.request,
                               .size = 100}),
                      ipc::more);
      return segment.publish({}, ipc::more);
    default:
      return send_other_head(segment, kind, head);
  }
}

template <class Word>
void scribble_over(std::span<Word> words, std::mt19937_64& dice) {
  for (Word& word : words)
    std::atomic_ref(word).store(static_cast<Word>(dice()), std::memory_order_relaxed);
}

void scribble_once(const OwnSegment& segment, Target target, std::mt19937_64& dice) {
  switch (target) {
    case Target::answers_end:
      return segment.answers().tail.store(dice());
    case Target::requests_begin:
      return segment.requests().head.store(dice());
    case Target::frames:
      return scribble_over(segment.answer_data(), dice);
    case Target::slots:
      return scribble_over(segment.slots(), dice);
    case Target::sleepers:
      for (auto* control : {&segment.requests(), &segment.answers()}) {
        control->reader_sleeps.store(static_cast<std::uint32_t>(dice()));
        control->writer_sleeps.store(static_cast<std::uint32_t>(dice()));
      }
      return;
    case Target::crash_note:
      scribble_over(segment.crash_note(), dice);
      segment.crash_note().front() = SIGSEGV;
      segment.crash_note()[1] = dice() % 65;
      return;
    case Target::everything:
    case Target::count:
      return scribble_over(segment.everything(), dice);
  }
}

}  // namespace

Forged forge(const Forge& request) {
  Forged forged;
  forged.forgery = request.forgery;
  return forged;
}

void send_forged(const SendForged& request, Context& context) {
  const OwnSegment segment;
  send(segment, request.message, segment.head_of_answer(context.request_id(), own_request));
  ring();
  for (;;) ::pause();
}

void scribble(const Scribble& request) {
  std::mt19937_64 dice(request.seed);
  scribble_once(OwnSegment(), request.target, dice);
  ring();
  while (!request.answers) ::pause();
}

void keep_scribbling(const KeepScribbling& request) {
  const OwnSegment segment;
  std::mt19937_64 dice(request.seed);
  while (!std::filesystem::exists(request.until)) {
    scribble_once(segment, static_cast<Target>(dice() % 6), dice);
    ring();
  }
}

void close_doorbell(const CloseDoorbell&) {
  for (const int socket : own_sockets()) ::close(socket);
}

std::uint64_t flood_doorbell(const FloodDoorbell& request) {
  put(request.begun, std::to_string(::getpid()));
  std::uint64_t rung = 0;
  while (!std::filesystem::exists(request.until))
    for (int i = 0; i < 100; ++i, ++rung) ring();
  return rung;
}

}  // namespace bulkhead::test
