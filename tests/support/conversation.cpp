#include "support/conversation.hpp"

#include <exception>
#include <future>
#include <memory>
#include <stdexcept>

#include "support/numbered.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::test {

namespace {

struct Overdue : std::runtime_error {
  Overdue() : std::runtime_error("a stream has stood still for 20 s") {}
};

template <class T>
T in_time(std::future<T> operation) {
  if (operation.wait_for(default_watchdog) != std::future_status::ready) throw Overdue();
  return operation.get();
}

void send(Sender<std::string>& out, const std::string& item) {
  const auto sent = std::make_shared<std::promise<void>>();
  out.async_send(item, [sent](std::exception_ptr error) {
    error ? sent->set_exception(std::move(error)) : sent->set_value();
  });
  in_time(sent->get_future());
}

std::optional<std::string> receive(Receiver<std::string>& in) {
  const auto got = std::make_shared<std::promise<std::optional<std::string>>>();
  in.async_receive([got](std::exception_ptr error, std::optional<std::string> item) {
    error ? got->set_exception(std::move(error)) : got->set_value(std::move(item));
  });
  return in_time(got->get_future());
}

}  // namespace

Conversation::End Conversation::ends(End how, std::string what) {
  what_ = std::move(what);
  return how;
}

std::string Conversation::item(std::size_t index) const {
  return data_of(number_ + index, item_size_);
}

Conversation::End Conversation::hold(std::size_t bursts) {
  try {
    for (std::size_t at = 0; at < bursts; ++at)
      if (const End end = burst(); end != End::complete) return end;
    out_.close();
    if (receive(in_)) return ends(End::wrong, "more came back than was sent");
    return End::complete;
  } catch (const Error& error) {
    return ends(error.code() == errc::channel_closed ? End::cut : End::wrong, error.what());
  } catch (const Overdue& error) {
    return ends(End::overdue, error.what());
  }
}

Conversation::End Conversation::burst() {
  const std::size_t size = item_size_ == large ? 1 : capacity;
  for (std::size_t at = 0; at < size; ++at) send(out_, item(sent_++));
  for (; came_back_ < sent_; ++came_back_) {
    const auto got = receive(in_);
    if (!got) return End::cut;
    if (*got != item(came_back_)) return ends(End::wrong, "a stream brought something else back");
  }
  return End::complete;
}

}  // namespace bulkhead::test
