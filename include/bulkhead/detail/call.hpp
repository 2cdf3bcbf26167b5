// One request on its way and the place where its answer will be: shared by the caller's Future and
// the library. Settled exactly once, by whichever thread brings the answer or the bad news.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "bulkhead/bytes.hpp"
#include "bulkhead/detail/buffer.hpp"
#include "bulkhead/detail/channel_end.hpp"
#include "bulkhead/detail/completion.hpp"
#include "bulkhead/detail/contract.hpp"
#include "bulkhead/detail/export.hpp"
#include "bulkhead/detail/progress.hpp"

namespace bulkhead::detail {

class Call;
struct Key;

// How urgently a call is to be stopped, from the mildest.
enum class Stop : std::uint8_t {
  total,     // only if it has not begun
  partial,   // ask the handler; the caller waits for its answer or its worker's end
  terminal,  // the caller is told now, and the handler asked
};

// Whoever can bring answers: the workers that a call was given to.
class AnswerSource {
 public:
  virtual ~AnswerSource() = default;
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;
  // Receives on the calling thread until `call` is settled or the deadline has passed, or others
  // receive for it. Settles it where nothing can come any more.
  virtual void receive_for(Call& call, Deadline deadline) = 0;
  // Why nothing can come any more: this process was forked off the one that asked. Null in that
  // one.
  virtual std::exception_ptr out_of_reach() const = 0;
  // Its caller wants it no more. Nothing where it is settled.
  virtual void cancel(Call& call, Stop how) = 0;
};

// What calls have that may take only so long, or whose caller wants to hear of their progress.
struct Steering {
  using Time = std::chrono::steady_clock::time_point;
  std::optional<Time> deadline = {};
  std::optional<std::chrono::nanoseconds> timeout = {}, run_timeout = {};  // as they were asked for
  bool ran_too_long = false;                   // which of them it was past; under the source's lock
  std::unique_ptr<ProgressBox> progress = {};  // null: its caller does not want to
};

// Its packed request begins with these; times in nanoseconds, 0 for none; a deadline since the
// epoch of the steady clock, which all processes share.
struct Limits {
  std::int64_t deadline = 0, run_timeout = 0;
  std::uint64_t wants_progress = 0;  // 0 or 1
};

// Where a thread sleeps that waits for an answer by itself.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual void nudge() noexcept = 0;
};

class BULKHEAD_API Call {
 public:
  // Where it is, if no worker has it: `outside` its thread waits for room in the queue, `kept` it
  // waits for one worker alone.
  static constexpr std::uint32_t nowhere = ~std::uint32_t{}, queued = nowhere - 1,
                                 outside = nowhere - 2, kept = nowhere - 3;

  explicit Call(const RequestType& request_type) : type(&request_type) {}
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Unpacks the response: runs the type's own code, and throws what it throws.
  virtual void accept(std::span<const std::byte> response, BytesCarrier* carrier = nullptr) = 0;
  // The same for a call that is settled: what comes is dropped.
  virtual void discard(std::span<const std::byte> response, BytesCarrier* carrier) = 0;

  // Before it is submitted: it is told of the end, and nobody may wait.
  void tell(Completion& completion) noexcept {
    completion_ = &completion;
    state_.store(told, std::memory_order_relaxed);
  }
  bool ready() const noexcept { return state_.load(std::memory_order_acquire) == settled; }
  // Waits until it is settled, or until the deadline: false then.
  bool wait(AnswerSource::Deadline deadline = {});
  // The same without waiting; in a fork of the process that asked it is settled here, by an error.
  bool ready_or_lost() { return ready() || settle_if_lost(); }
  // Settled, with what accept() took or with an error: at once, or when the last progress value is
  // told.
  void settle(std::exception_ptr error = {}) noexcept;
  // The same while a worker still runs it, and reads what the call carries.
  void settle_early(std::exception_ptr error) noexcept;
  // The same in a fork of the process that asked, where nothing that goes on will end.
  void settle_lost(std::exception_ptr error) noexcept;
  // No worker has it, or will have it.
  void drop_carried(const std::exception_ptr& why = {}) noexcept {
    attachments.clear();
    if (!ends.empty()) drop_ends(why);
  }
  // An end that it carries has gone to a worker: it cannot be tried again.
  bool ends_are_gone() const;
  void cancel(Stop how) {
    if (source && !ready()) source->cancel(*this, how);
  }
  // Null: its caller does not want values.
  ProgressBox* progress() const noexcept { return steering ? steering->progress.get() : nullptr; }
  // A turn of its progress(), where its caller's function is to run. True if another is due.
  [[nodiscard]] bool tell_progress() { return follow_turn(progress()->take_turn()); }
  void skip_progress() { static_cast<void>(follow_turn(progress()->skip_turn())); }
  // Its caller wants no values any more.
  void close_progress() noexcept {
    if (ProgressBox* const box = progress()) box->close();
  }
  // By the thread that waits for it, when it is about to sleep at `place` instead: settle() nudges
  // it there, and so must whoever gives the call to another worker. False if it is settled.
  bool begin_sleep(std::shared_ptr<Sleeper> place);
  void end_sleep();
  // For whoever has changed `at`. Not a mere load, which the processor may do before that store is
  // visible: a thread that begins to sleep later sees it.
  bool sleeps_elsewhere() noexcept { return state_.fetch_add(0) == elsewhere; }
  // Once, by whoever waited. From then on nobody else holds the exception, which is not made for
  // being shared between threads.
  void throw_if_failed() {
    if (error_) std::rethrow_exception(take_error());
  }
  std::exception_ptr take_error() noexcept { return std::exchange(error_, nullptr); }

  const RequestType* const type;
  Buffer request;                          // packed; constant once it is submitted
  Attachments attachments;                 // what it carries; let go of when it is settled
  std::vector<CarriedEnd> ends;            // the same, of channels
  std::size_t beside = 0;                  // bytes of its blocks among them
  std::shared_ptr<AnswerSource> source;    // constant once it is submitted
  std::atomic<std::uint32_t> at{nowhere};  // which worker has it; written under the source's lock
  std::uint32_t slot = 0;                  // and in which of its slots, under that lock
  int priority = 0;                        // constant once it is submitted
  std::shared_ptr<Key> key;                // constant once it is submitted
  std::uint64_t id = 0;                    // the same: its owner's number for it; 0: never taken
  std::uint64_t only_for = 0;              // the same: the number of its worker; 0: any may run it
  std::unique_ptr<Steering> steering;      // constant once it is submitted, but for its last one
  // Its caller's, who sets it once the source is there.
  std::unique_ptr<std::stop_callback<std::function<void()>>> on_stop;

 private:
  void drop_ends(const std::exception_ptr& why) noexcept;
  bool settle_if_lost();
  void publish() noexcept;
  bool follow_turn(ProgressBox::Then then) noexcept;

  // Open calls may be `awaited`, by a thread that sleeps at this very word, or one that sleeps
  // `elsewhere`, or their completion is to be `told`.
  enum State : std::uint32_t { open, awaited, elsewhere, told, settled };

  std::atomic<std::uint32_t> state_{open};
  std::shared_ptr<Sleeper> place_;  // written before `elsewhere` is stored, read after it is seen
  Completion* completion_ = nullptr;
  std::exception_ptr error_;  // written before `settled` is stored, read after it is seen
};

// The same with room for its typed answer.
template <class Response>
class TypedCall final : public Call {
 public:
  using Call::Call;
  void accept(std::span<const std::byte> response, BytesCarrier* carrier) override;
  void discard(std::span<const std::byte> response, BytesCarrier* carrier) override;
  Response take() { return std::move(*value_); }

 private:
  std::optional<Response> value_;
};

template <>
class BULKHEAD_API TypedCall<void> final : public Call {
 public:
  using Call::Call;
  // Refuses anything but nothing.
  void accept(std::span<const std::byte> response, BytesCarrier* carrier) override;
  void discard(std::span<const std::byte> response, BytesCarrier* carrier) override {
    accept(response, carrier);
  }
  void take() {}
};

}  // namespace bulkhead::detail
