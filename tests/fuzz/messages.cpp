// The app's end of a connection, and a worker that writes any frames into its ring, and anything
// into its slots. Some calls are open, and as many are looked for as were given.
//
// An input is a sequence of frames: size u16 (its highest bit: the message goes on), bytes. One of
// size 0 instead writes a slot: number u8, word u64.
#include "bulkhead/detail/worker_set.hpp"
#include "fuzz/input.hpp"
#include "rpc/deliver.hpp"
#include "rpc/hostile_peer.hpp"

namespace {

using namespace bulkhead;
using fuzz::Input;
using fuzz::require;

constexpr rpc::CallId calls = 4;
constexpr std::uint16_t goes_on = 0x8000;

class Game {
 public:
  Game() {
    for (rpc::CallId id = 1; id <= calls; ++id) ends_.app.hand_over(test::call(id));
  }

  void play(Input input) {
    while (!input.empty() && good_) {
      const auto word = input.number<std::uint16_t>();
      const std::size_t size = word & ~goes_on;
      if (size == 0) {
        const std::size_t slot = input.number<std::uint8_t>() % ends_.peer.slots.size();
        ends_.peer.slots[slot] = input.number<std::uint64_t>();
      } else {
        ends_.peer.write(input.take(std::min<std::size_t>(size, 1000)),
                         word & goes_on ? ipc::more : 0);
      }
      receive();
    }
    const auto left = ends_.app.drain();
    require(left.begun.size() + left.not_begun.size() + answered_ == calls);
  }

 private:
  void receive() {
    const auto [messages, behind] = ends_.app.receive_batch();
    for (const auto& message : messages) {
      require(message.bytes.size() == sizeof(rpc::Head) + message.head.size);
      if (message.is_answer()) take(message);
    }
    good_ = good_ && behind != rpc::AppEnd::Received::violation;
    require(good_ || !ends_.app.violation().empty() || refused_);
  }

  void take(const rpc::AppEnd::Message& message) {
    auto open = ends_.app.close(message.head);
    if (!open) {
      refused_ = true;
      good_ = false;
      return;
    }
    ++answered_;
    const auto verdict = rpc::judge(*open->call, message, "worker 1");
    open->call->settle(verdict.error);
    require(open->call->ready());
  }

  test::HostileEnds ends_;
  std::size_t answered_ = 0;
  bool good_ = true, refused_ = false;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Game().play({data, size});
  return 0;
}
