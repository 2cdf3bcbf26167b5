// One request on its way and the place where its answer will be: shared by the caller's Future and
// the library. Settled exactly once, by whichever thread brings the answer or the bad news.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "bulkhead/bytes.hpp"
#include "bulkhead/detail/buffer.hpp"
#include "bulkhead/detail/contract.hpp"
#include "bulkhead/detail/export.hpp"

namespace bulkhead::detail {

class Call;

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
};

// Where a thread sleeps that waits for an answer by itself.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual void nudge() noexcept = 0;
};

class BULKHEAD_API Call {
 public:
  static constexpr std::uint32_t nowhere = ~std::uint32_t{};

  explicit Call(const RequestType& request_type) : type(&request_type) {}
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Unpacks the response: runs the type's own code, and throws what it throws.
  virtual void accept(std::span<const std::byte> response, BytesCarrier* carrier = nullptr) = 0;

  bool ready() const noexcept { return state_.load(std::memory_order_acquire) == settled; }
  // Waits until it is settled, or until the deadline: false then.
  bool wait(AnswerSource::Deadline deadline = {});
  // The same without waiting; in a fork of the process that asked it is settled here, by an error.
  bool ready_or_lost() { return ready() || settle_if_lost(); }
  // Settled, with what accept() took or with an error.
  void settle(std::exception_ptr error = {}) noexcept;
  // By the thread that waits for it, when it is about to sleep at `place` instead: settle() nudges
  // it there, and so must whoever gives the call to another worker. False if it is settled.
  bool begin_sleep(std::shared_ptr<Sleeper> place);
  void end_sleep();
  bool sleeps_elsewhere() const noexcept { return state_.load() == elsewhere; }
  // Once, by whoever waited. From then on nobody else holds the exception, which is not made for
  // being shared between threads.
  void throw_if_failed() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  const RequestType* const type;
  Buffer request;                          // packed; constant once it is submitted
  Attachments attachments;                 // what it carries; let go of when it is settled
  std::size_t beside = 0;                  // bytes of its blocks among them
  std::shared_ptr<AnswerSource> source;    // constant once it is submitted
  std::atomic<std::uint32_t> at{nowhere};  // a hint for the source: which worker has it

 private:
  bool settle_if_lost();

  // Open calls may be `awaited`, by a thread that sleeps at this very word, or one that sleeps
  // `elsewhere`.
  enum State : std::uint32_t { open, awaited, elsewhere, settled };

  std::atomic<std::uint32_t> state_{open};
  std::shared_ptr<Sleeper> place_;  // written before `elsewhere` is stored, read after it is seen
  std::exception_ptr error_;        // written before `settled` is stored, read after it is seen
};

// The same with room for its typed answer.
template <class Response>
class TypedCall final : public Call {
 public:
  using Call::Call;
  void accept(std::span<const std::byte> response, BytesCarrier* carrier) override;
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
  void take() {}
};

}  // namespace bulkhead::detail
