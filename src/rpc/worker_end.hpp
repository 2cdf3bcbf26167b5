// The worker's end of a connection: requests come in, claimed one by one; answers go out.
// Trusts the app, which may vanish at any moment.
//
// For as many threads as it is told of. One of them waits for the next request, and gives way to
// another before it runs it: what is claimed is at hand, and nothing waits behind it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include "bulkhead/context.hpp"
#include "bulkhead/detail/call.hpp"
#include "ipc/link.hpp"
#include "rpc/wire.hpp"
#include "rpc/worker_blobs.hpp"

namespace bulkhead::rpc {

class WorkerEnd {
 public:
  // `threads`: how many use it.
  WorkerEnd(ipc::Segment segment, ipc::Doorbell bell, std::size_t max_message,
            unsigned threads = 1);

  // Before it is used: from now on also others than its `threads` send.
  void share_sending() { others_send_ = true; }
  // The same: from now on buffers go beside messages.
  void carry_bytes(platform::Fd socket, const BytesLimits& limits);
  WorkerBlobs* blobs() const { return blobs_.get(); }  // null: none is carried

  // The app can hand over no more calls than this at once.
  std::size_t most_threads() const { return slots_.size(); }

  struct Request {
    Head head;
    ipc::Buffer bytes;  // the head's and the body's
    std::span<const std::byte> body() const {
      const std::size_t limits = head.kind == Kind::limited ? sizeof(detail::Limits) : 0;
      return std::span(bytes).subspan(sizeof(Head) + limits);
    }
  };
  enum class Next { request, leave, app_gone };
  // Waits for the next request that the app has not taken back. From here on it counts as begun.
  // Once one thread was told to leave, all are.
  Next next(Request& request);

  // For an event loop instead, on one thread at a time. Nothing: not all of it is there yet, and
  // the same `request` is to be given when more has come.
  std::optional<Next> next_now(Request& request);
  // True if more is there; false if it is not worth it to wait for it like this.
  bool spin() { return link_.worker_spins_for_frame(); }
  // From now on bell() is readable when more comes. True if it is there.
  [[nodiscard]] bool arm() { return link_.arm(); }
  void disarm() { link_.disarm(); }
  const ipc::Doorbell& bell() const { return link_.bell(); }
  // Wakes whoever waits here: the app is gone for them.
  void hang_up() const { link_.bell().hang_up(); }
  // When it is readable. False when the app is gone.
  bool hear() { return link_.listeners().hear_now() != ipc::Bell::closed; }
  // `tell`: when a thread that waits for room has heard the bell instead.
  void tell_loop(std::function<void()> tell) { link_.listeners().tell_loop(std::move(tell)); }

  // How the handler of a request that was just taken up hears that it is to stop. Tokens apart.
  detail::HandlerStop stop_of(const Request& request) const;
  static bool wants_progress(const Request& request);
  // How often any was asked to.
  std::atomic<std::uint32_t>& stops() const { return hints().stops; }
  ipc::Hints& hints() const { return link_.segment().hints(); }
  ipc::CrashNote& crash_note() const { return link_.segment().crash_note(); }

  // These wait for room in the ring, and return false when the app is gone.
  // `at_once`: how many requests it runs at once.
  bool ready(unsigned at_once);
  bool refuse(std::string_view why);
  // `size`: of the whole response, with what is beside it.
  bool fits(std::size_t size) const { return size <= max_message_; }
  bool respond(const Head& request, std::span<const std::byte> response);
  bool report_too_large(const Head& request, std::size_t size);
  bool report_exception(const Head& request, std::string_view type, std::string_view what);
  struct Progress {
    Head request;
    ipc::Buffer value;
  };
  bool tell(const Progress& progress);
  // What `next` gives, if anything, when it is this thread's turn to send.
  bool tell_next(const std::function<std::optional<Progress>()>& next);

  // Without waiting. False: another thread sends, or there is no room for it in one piece.
  bool try_tell(const Head& request, std::span<const std::byte> value);
  // The same for a line that goes into the app's log, by any thread; `about`: the request that it
  // belongs to, or none. False also where answers would find little room besides it.
  bool try_log(const Head& about, const LogHead& line, std::string_view text);

 private:
  std::optional<Next> receive_now(Request& request);
  bool claim(const Head& head);
  bool take_up(Request& request);
  bool send(const Head& about, Kind kind, std::span<const std::byte> body);
  bool send_now(const Head& about, Kind kind, std::span<const std::byte> body);
  bool wait_for_room(std::size_t payload);

  std::unique_lock<std::mutex> hold_receiving();
  bool sending_is_shared() const;
  std::unique_lock<std::mutex> hold_sending();
  std::optional<std::unique_lock<std::mutex>> try_hold_sending();

  ipc::Link link_;
  const std::span<std::atomic<std::uint64_t>> slots_;
  std::shared_ptr<WorkerBlobs> blobs_;  // synchronizes itself
  const std::size_t max_message_;
  const unsigned threads_;
  bool others_send_ = false;
  // Used with several threads only. Nobody needs both at once.
  std::mutex receiving_, sending_;
  std::atomic<bool> waits_for_room_ = false;  // who sends
  // guarded by receiving_
  bool leaving_ = false;
  bool first_ = true;  // the next part begins a message
  bool ours_ = false;  // the parts that come belong to a message that is for us
};

}  // namespace bulkhead::rpc
