// Both ends of a ring whose other side writes what it likes: data, positions and words of sleepers,
// between any two steps. The pages beside the data must not be touched.
//
// An input is a script of steps, a byte each and what it takes; see Step.
#include "fuzz/input.hpp"
#include "fuzz/ring_script.hpp"
#include "ipc/own_ring.hpp"

namespace {

using namespace bulkhead;
using fuzz::Input;
using fuzz::require;
using fuzz::Step;

constexpr std::size_t most_bytes = std::size_t{1} << 20;

class Game {
 public:
  void play(Input input) {
    while (!input.empty()) step(Step{input.number<std::uint8_t>()}, input);
    while (received_.size() < most_bytes && read() != ipc::Read::empty && !reader_.violated())
      continue;
  }

 private:
  void step(Step step, Input& input) {
    switch (step) {
      case Step::read:
        read();
        return;
      case Step::write:
        return write(input.number<std::uint16_t>());
      case Step::scribble: {
        const std::size_t at = input.number<std::uint16_t>() % ring_.capacity;
        const auto bytes = input.take(input.number<std::uint8_t>());
        const std::size_t fits = std::min(bytes.size(), ring_.capacity - at);
        if (fits > 0) std::memcpy(ring_.data() + at, bytes.data(), fits);
        return;
      }
      case Step::move_tail:
        ring_.control().tail += static_cast<std::uint64_t>(input.number<std::int16_t>());
        return;
      case Step::set_tail:
        ring_.control().tail = input.number<std::uint64_t>();
        return;
      case Step::set_head:
        ring_.control().head = input.number<std::uint64_t>();
        return;
      case Step::reader_sleeps:
        ring_.control().reader_sleeps = input.number<std::uint32_t>();
        static_cast<void>(writer_.must_wake_reader());
        return;
      case Step::arm:
        if (!reader_.prepare_sleep()) reader_.cancel_sleep();
        if (!writer_.prepare_sleep(0)) writer_.cancel_sleep();
        return;
    }
  }

  ipc::Read read() {
    const std::size_t before = received_.size();
    const bool broken = reader_.violated();
    const ipc::Read read = reader_.read(received_);
    static_cast<void>(reader_.must_wake_writer());
    const std::size_t got = received_.size() - before;
    require(got <= ipc::largest_payload(ring_.capacity));
    require((read == ipc::Read::violation) == reader_.violated());
    require(!broken || reader_.violated());
    if (read == ipc::Read::empty || read == ipc::Read::violation) require(got == 0);
    if (received_.size() > most_bytes) received_.clear();
    return read;
  }

  void write(std::size_t size) {
    static const ipc::Buffer bytes = test::bytes(test::OwnRing::capacity);
    const auto body = std::span(bytes).first(std::min(size, writer_.largest_payload()));
    const bool had_room = writer_.has_room(body.size());
    const ipc::Write written = writer_.try_write({}, body, size & 1 ? ipc::more : 0);
    require(had_room || written != ipc::Write::done);
    require(writer_.room() <= writer_.largest_payload());
  }

  test::OwnRing ring_;
  ipc::RingWriter writer_{ring_.memory()};
  ipc::RingReader reader_{ring_.memory()};
  ipc::Buffer received_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Game().play({data, size});
  return 0;
}
