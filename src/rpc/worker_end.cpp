#include "rpc/worker_end.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>

#include "platform/fault.hpp"
#include "platform/single_threaded.hpp"

namespace bulkhead::rpc {

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

WorkerEnd::WorkerEnd(ipc::Segment segment, ipc::Doorbell bell, std::size_t max_message,
                     unsigned threads)
    : link_(ipc::End::worker, std::move(segment), std::move(bell)),
      slots_(link_.segment().slots()),
      max_message_(max_message),
      threads_(threads) {}

void WorkerEnd::carry_bytes(platform::Fd socket, const BytesLimits& limits) {
  blobs_ = std::make_shared<WorkerBlobs>(std::move(socket), link_.segment().releases(), limits,
                                         max_message_);
}

// A thread by itself has nobody to lock out.
std::unique_lock<std::mutex> WorkerEnd::hold_receiving() {
  return threads_ > 1 ? std::unique_lock(receiving_) : std::unique_lock<std::mutex>();
}

std::unique_lock<std::mutex> WorkerEnd::hold_sending() {
  using Lock = std::unique_lock<std::mutex>;
  return sending_is_shared() ? Lock(sending_) : Lock();
}

// While a process has one thread, nobody but that one makes the second.
bool WorkerEnd::sending_is_shared() const {
  return (others_send_ || threads_ > 1) && !platform::single_threaded();
}

// Tries for about as long as it takes to copy an answer, and not while its sender waits.
std::optional<std::unique_lock<std::mutex>> WorkerEnd::try_hold_sending() {
  using Lock = std::unique_lock<std::mutex>;
  if (!sending_is_shared()) return Lock();
  constexpr int at_most = 100;
  for (int tries = 0; tries < at_most && !waits_for_room_.load(); ++tries) {
    Lock lock(sending_, std::try_to_lock);
    if (lock) return lock;
    std::this_thread::yield();
  }
  return std::nullopt;
}

WorkerEnd::Next WorkerEnd::next(Request& request) {
  const auto lock = hold_receiving();
  for (;;) {
    if (const auto found = receive_now(request)) return *found;
    if (link_.wait_for_frame() == ipc::Wake::closed) return Next::app_gone;
  }
}

std::optional<WorkerEnd::Next> WorkerEnd::next_now(Request& request) {
  const auto lock = hold_receiving();
  return receive_now(request);
}

std::optional<WorkerEnd::Next> WorkerEnd::receive_now(Request& request) {
  if (leaving_) return Next::leave;
  if (first_) request.bytes.clear();
  for (;;) {
    const ipc::Read read = link_.receive(request.bytes);
    if (read == ipc::Read::violation) return Next::app_gone;  // no longer what the two sides share
    if (read == ipc::Read::empty) return std::nullopt;
    if (first_) ours_ = take_up(request);
    first_ = read == ipc::Read::frame;
    if (!ours_) {
      request.bytes.clear();
    } else if (!first_) {
      platform::fault_point("worker.mid_request");
    } else {
      leaving_ = request.head.kind == Kind::leave;
      return leaving_ ? Next::leave : Next::request;
    }
  }
}

// False when it is no request, or the app took it back; then its parts are dropped, up to the last.
bool WorkerEnd::take_up(Request& request) {
  std::memcpy(&request.head, request.bytes.data(), sizeof(Head));
  if (request.head.kind == Kind::leave) return true;
  if (request.head.kind == Kind::forget) {
    const Head& head = request.head;
    if (blobs_) blobs_->forget(detail::BytesHandle::Maker(head.request), head.id, head.slot);
    return false;
  }
  if (!claim(request.head)) return false;
  request.bytes.reserve(sizeof(Head) + request.head.size);
  return true;
}

detail::HandlerStop WorkerEnd::stop_of(const Request& request) const {
  detail::HandlerStop stop{.word = &link_.segment().slots()[request.head.slot],
                           .asked = slot_word::stopping(request.head.ticket)};
  if (request.head.kind != Kind::limited) return stop;
  using Time = detail::HandlerStop::Time;
  detail::Limits limits;
  std::memcpy(&limits, request.bytes.data() + sizeof(Head), sizeof limits);
  if (limits.deadline != 0) stop.deadline = Time(std::chrono::nanoseconds(limits.deadline));
  if (limits.run_timeout == 0) return stop;
  const Time now = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds run(limits.run_timeout);
  if (run < Time::max() - now)
    stop.deadline = std::min(stop.deadline.value_or(Time::max()), now + run);
  return stop;
}

bool WorkerEnd::wants_progress(const Request& request) {
  if (request.head.kind != Kind::limited) return false;
  detail::Limits limits;
  std::memcpy(&limits, request.bytes.data() + sizeof(Head), sizeof limits);
  return limits.wants_progress != 0;
}

bool WorkerEnd::claim(const Head& head) {
  platform::fault_point("worker.before_claim");
  std::uint64_t expected = slot_word::queued(head.ticket);
  const bool claimed = slots_[head.slot].compare_exchange_strong(
      expected, slot_word::begun(head.ticket), std::memory_order_acq_rel);
  if (claimed) platform::fault_point("worker.after_claim");
  return claimed;
}

bool WorkerEnd::send(const Head& about, Kind kind, std::span<const std::byte> body) {
  const auto lock = hold_sending();  // the parts of a message follow each other
  return send_now(about, kind, body);
}

bool WorkerEnd::send_now(const Head& about, Kind kind, std::span<const std::byte> body) {
  Head head = about;
  head.kind = kind;
  head.size = body.size();
  auto first = std::as_bytes(std::span(&head, std::size_t{1}));
  for (bool more = true; more;) {
    const std::size_t size = std::min(body.size(), link_.largest_payload() - first.size());
    more = size < body.size();
    ipc::Write written;
    while ((written = link_.send(first, body.first(size), more ? ipc::more : 0)) ==
           ipc::Write::full)
      if (!wait_for_room(first.size() + size)) return false;
    if (written == ipc::Write::violation) return false;
    if (more) platform::fault_point("worker.mid_response");
    body = body.subspan(size);
    first = {};
  }
  return true;
}

bool WorkerEnd::wait_for_room(std::size_t payload) {
  waits_for_room_ = true;
  const ipc::Wake wake = link_.wait_for_room(payload);
  waits_for_room_ = false;
  return wake != ipc::Wake::closed;
}

bool WorkerEnd::ready(unsigned at_once) { return send({.slot = at_once}, Kind::ready, {}); }

bool WorkerEnd::refuse(std::string_view why) {
  return send({}, Kind::refused, bytes_of(why.substr(0, max_exception_text)));
}

bool WorkerEnd::respond(const Head& request, std::span<const std::byte> response) {
  if (!fits(response.size())) return report_too_large(request, response.size());
  return send(request, Kind::response, response);
}

bool WorkerEnd::report_too_large(const Head& request, std::size_t size) {
  return send(request, Kind::too_large, bytes_of(std::to_string(size)));
}

bool WorkerEnd::report_exception(const Head& request, std::string_view type,
                                 std::string_view what) {
  std::string text(type.substr(0, max_exception_text / 2));
  text += '\0';
  text += what.substr(0, max_exception_text - text.size());
  return send(request, Kind::threw, bytes_of(text));
}

bool WorkerEnd::tell(const Progress& progress) {
  return send(progress.request, Kind::progress, progress.value);
}

bool WorkerEnd::tell_next(const std::function<std::optional<Progress>()>& next) {
  const auto lock = hold_sending();
  const auto progress = next();
  return !progress || send_now(progress->request, Kind::progress, progress->value);
}

bool WorkerEnd::try_tell(const Head& request, std::span<const std::byte> value) {
  std::unique_lock lock(sending_, std::try_to_lock);
  if (!lock || value.size() > link_.largest_payload() - sizeof(Head)) return false;
  Head head = request;
  head.kind = Kind::progress;
  head.size = value.size();
  return link_.send(std::as_bytes(std::span(&head, std::size_t{1})), value) == ipc::Write::done;
}

bool WorkerEnd::try_log(const Head& about, const LogHead& line, std::string_view text) {
  struct {
    Head head;
    LogHead line;
  } first{about, line};
  if (sizeof first + text.size() > link_.largest_payload()) return false;
  const auto lock = try_hold_sending();
  if (!lock || link_.room() < link_.largest_payload()) return false;
  first.head.kind = Kind::logged;
  first.head.size = sizeof line + text.size();
  return link_.send(std::as_bytes(std::span(&first, std::size_t{1})), bytes_of(text)) ==
         ipc::Write::done;
}

}  // namespace bulkhead::rpc
