// Sending and receiving on the calling thread, which a stop can end: asynchronous operations that
// the thread waits for.
#include <semaphore>
#include <stop_token>
#include <utility>

#include "bulkhead/detail/channel_end.hpp"

namespace bulkhead::detail {

namespace {

// The thread that waits.
class Waiter final : public Operation {
 public:
  void post() noexcept override { settled_.release(); }
  void run() override {}
  void destroy() noexcept override { settled_.release(); }
  const std::type_info& executor_type() const noexcept override { return typeid(void); }
  void wait() { settled_.acquire(); }

 private:
  std::binary_semaphore settled_{0};
};

// Whoever settles it may still be at it when the thread goes on.
struct Waiting : ChannelOperation {
  Waiter thread;
};

void wait_for(const ChannelEnd& end, const std::shared_ptr<Waiting>& operation,
              const std::stop_token& stop) {
  static_cast<void>(operation->pending.expect(operation->thread, nullptr));
  end.begin(operation);
  const std::stop_callback cancel(stop, [&] { end.cancel(operation); });
  operation->thread.wait();
  if (operation->error) std::rethrow_exception(std::exchange(operation->error, nullptr));
}

}  // namespace

void ChannelEnd::send(Buffer& item, const std::stop_token& stop) const {
  const auto operation = std::make_shared<Waiting>();
  operation->item = std::move(item);
  wait_for(*this, operation, stop);
  item = std::move(operation->item);
}

bool ChannelEnd::receive(Buffer& item, const std::stop_token& stop) const {
  const auto operation = std::make_shared<Waiting>();
  wait_for(*this, operation, stop);
  item = std::move(operation->item);
  return operation->got == Got::item;
}

}  // namespace bulkhead::detail
