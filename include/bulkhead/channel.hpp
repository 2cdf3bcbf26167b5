/// @file
/// Streams of values between an app and a handler that runs, in either direction.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "bulkhead/detail/channel_async.hpp"
#include "bulkhead/detail/channel_end.hpp"
#include "bulkhead/detail/channel_item.hpp"

namespace bulkhead {

/// The end of a channel<T> that items are put into. A value that is moved, not copied, and that may
/// be a member of requests and responses as any other, in containers too: then it goes to the other
/// process, and this one is closed, as one that was default constructed. What was sent before is
/// not lost by that. It does not travel in items of channels or in progress values.
///
/// For one thread at a time, while another has the receiver. In tests both ends work in one
/// process.
///
/// All but close() throw Error: errc::channel_closed where the receiver was dropped, its process
/// ended, or the call that it went with never reached a worker; errc::message_too_large for an item
/// larger than `max_message`. What packing an item throws goes through. Items carry their Bytes
/// within them, as copies.
template <class T>
class Sender {
 public:
  /// Closed.
  Sender() = default;
  /// For the library.
  explicit Sender(std::shared_ptr<detail::ChannelEnd> end) noexcept : end_(std::move(end)) {}
  /// The other is closed then, without ending the stream.
  Sender(Sender&&) noexcept = default;
  /// As close(), and then the move.
  Sender& operator=(Sender&&) noexcept = default;
  /// As close().
  ~Sender() = default;

  /// Waits while the channel is full: while `capacity` items are on their way, or its memory holds
  /// no more. From when the receiver is in another process, what was sent is there to be received,
  /// whatever becomes of this one. Not on the library's own thread, where asynchronous handlers run
  /// by default.
  void send(const T& item) {
    detail::pack_item(packed_, item);
    open_end().send(packed_);
    detail::drop_if_large(packed_);
  }
  /// The same until a stop is requested, of Context::stop_token() as a rule: errc::cancelled then,
  /// unless part of the item is out, which goes on.
  void send(const T& item, const std::stop_token& stop) {
    detail::pack_item(packed_, item);
    open_end().send(packed_, stop);
    detail::drop_if_large(packed_);
  }
  /// The same without waiting: false where it would have to. Throws errc::message_too_large for an
  /// item that the channel's memory (64 KiB to 1 MiB, by its capacity) cannot hold at once.
  [[nodiscard]] bool try_send(const T& item) {
    detail::pack_item(packed_, item);
    return open_end().try_send(packed_);
  }
  /// The same as an asynchronous operation of Asio, for any of its completion tokens. It completes
  /// with (std::exception_ptr) when the item is on its way. The item is packed before this returns.
  /// One at a time: another operation meanwhile fails with std::logic_error. It may be cancelled
  /// until part of the item is out: errc::cancelled. The handler is posted to its executor, where
  /// it has none to the library's reactor.
  template <class Token>
  auto async_send(const T& item, Token&& token) {
    auto state = std::make_shared<detail::AsyncSend>();
    state->end = end_;
    try {
      static_cast<void>(open_end());
      detail::pack_item(state->operation.item, item);
    } catch (...) {
      state->operation.error = std::current_exception();
    }
    return detail::begin_channel_operation(std::move(state), token);
  }
  /// The clean end of the stream: the receiver gets what was sent, and then its end. What
  /// async_send has begun is still sent. Nothing if it is closed already.
  void close() noexcept { end_.reset(); }
  /// Whether this was closed, moved from or sent on; not whether the receiver is still there.
  bool closed() const noexcept { return !end_; }

  /// For the library: it is on its way.
  std::shared_ptr<detail::ChannelEnd> release() const noexcept { return std::move(end_); }

 private:
  const detail::ChannelEnd& open_end() const {
    if (!end_) detail::refuse_closed_end();
    return *end_;
  }

  mutable std::shared_ptr<detail::ChannelEnd> end_;  // requests are packed as constants
  detail::Buffer packed_ = {};
};

/// The end of a channel<T> that items are taken from, in their order. A value as a Sender is, and
/// for one thread at a time as well. Dropping it ends the stream for its sender.
///
/// All throw Error: errc::channel_closed where the sender's process ended before its Sender was
/// closed, with the crash where that is known, or the call that it went with never reached a
/// worker. What was sent before that is received first. What unpacking an item throws goes through,
/// and that item is lost.
template <class T>
class Receiver {
 public:
  /// Closed.
  Receiver() = default;
  /// For the library.
  explicit Receiver(std::shared_ptr<detail::ChannelEnd> end) noexcept : end_(std::move(end)) {}
  /// The other is closed then, without ending the stream.
  Receiver(Receiver&&) noexcept = default;
  /// Drops what this was.
  Receiver& operator=(Receiver&&) noexcept = default;
  /// The sender is told that nobody wants its items.
  ~Receiver() = default;

  /// Waits for the next item; empty at the clean end of the stream. Not on the library's own
  /// thread.
  std::optional<T> receive() {
    if (!open_end().receive(packed_)) return std::nullopt;
    return unpack();
  }
  /// The same until a stop is requested, of Context::stop_token() as a rule: errc::cancelled then,
  /// and no item is lost.
  std::optional<T> receive(const std::stop_token& stop) {
    if (!open_end().receive(packed_, stop)) return std::nullopt;
    return unpack();
  }
  /// The same without waiting; empty where there is none now, or never again: see ended().
  std::optional<T> try_receive() {
    const auto got = open_end().try_receive(packed_);
    ended_ |= got == detail::Got::end;
    if (got != detail::Got::item) return std::nullopt;
    return unpack();
  }
  /// Whether try_receive() has met the clean end of the stream.
  bool ended() const noexcept { return ended_; }
  /// The same as an asynchronous operation of Asio, for any of its completion tokens. It completes
  /// with (std::exception_ptr, std::optional<T>). One at a time, as Sender::async_send, whose
  /// executor is also this one's. When it is cancelled, or the receiver dropped, it completes with
  /// errc::cancelled, and no item is lost.
  template <class Token>
  auto async_receive(Token&& token) {
    auto state = std::make_shared<detail::AsyncReceive<T>>();
    state->end = end_;
    try {
      static_cast<void>(open_end());
    } catch (...) {
      state->operation.error = std::current_exception();
    }
    return detail::begin_channel_operation(std::move(state), token);
  }
  /// Whether this was moved from or sent on, or never made.
  bool closed() const noexcept { return !end_; }

  /// Goes once through what is to come: `for (Item& item : receiver)`.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;  ///< it reads each item once
    using value_type = T;                               ///< the items
    using difference_type = std::ptrdiff_t;             ///< of no use
    using pointer = T*;                                 ///< to the present item
    using reference = T&;                               ///< the present item

    /// At the end.
    iterator() = default;
    /// The present item, to be read or moved from; valid until ++.
    T& operator*() const { return *receiver_->present_; }
    /// Of the present item.
    T* operator->() const { return &*receiver_->present_; }
    /// Waits for the next item, as receive().
    iterator& operator++() {
      receiver_->present_ = receiver_->receive();
      return *this;
    }
    /// The same.
    void operator++(int) { ++*this; }
    /// Whether the stream has ended.
    bool operator==(std::default_sentinel_t) const { return !receiver_->present_; }

   private:
    friend class Receiver;
    explicit iterator(Receiver& receiver) : receiver_(&receiver) {}
    Receiver* receiver_ = nullptr;
  };
  /// Waits for the next item. The receiver must not be moved while its iterators are used.
  iterator begin() { return ++iterator(*this); }
  /// Of the stream.
  std::default_sentinel_t end() const noexcept { return {}; }

  /// For the library: it is on its way.
  std::shared_ptr<detail::ChannelEnd> release() const noexcept { return std::move(end_); }

 private:
  const detail::ChannelEnd& open_end() const {
    if (!end_) detail::refuse_closed_end();
    return *end_;
  }
  std::optional<T> unpack() {
    std::optional<T> item = detail::unpack_item<T>(end_.get(), packed_);
    detail::drop_if_large(packed_);
    return item;
  }

  mutable std::shared_ptr<detail::ChannelEnd> end_;  // requests are packed as constants
  detail::Buffer packed_ = {};
  std::optional<T> present_ = {};  // an iterator's
  bool ended_ = false;
};

/// Both ends of a new channel, of which at most `capacity` items are on their way at once:
/// `auto [sender, receiver] = bulkhead::channel<Progress>(16);`. Keep one, and send the other in a
/// request or a response, or use both here. Each end that goes to another process takes a
/// descriptor and 64 KiB to 1 MiB of memory there. Throws std::invalid_argument for a capacity of
/// 0.
template <class T>
std::pair<Sender<T>, Receiver<T>> channel(std::size_t capacity) {
  auto ends = detail::make_channel(capacity);
  return {Sender<T>(std::move(ends.sender)), Receiver<T>(std::move(ends.receiver))};
}

namespace detail {

template <class T>
struct Codec<Sender<T>> {
  static void write(Encoder& encoder, const Sender<T>& value) {
    encoder(write_end(encoder.channels(), value));
  }
  static void read(Decoder& decoder, Sender<T>& value) {
    std::uint64_t id = 0;
    decoder(id);
    value = Sender<T>(read_end(decoder.channels(), id, Side::sender));
  }
};

template <class T>
struct Codec<Receiver<T>> {
  static void write(Encoder& encoder, const Receiver<T>& value) {
    encoder(write_end(encoder.channels(), value));
  }
  static void read(Decoder& decoder, Receiver<T>& value) {
    std::uint64_t id = 0;
    decoder(id);
    value = Receiver<T>(read_end(decoder.channels(), id, Side::receiver));
  }
};

}  // namespace detail
}  // namespace bulkhead
