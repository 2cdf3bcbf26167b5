// Applications that do all that there is to be done, one thing after the other, until a fault point
// ends them.
#include <cstdlib>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "faults/channels.hpp"
#include "faults/service/bytes_service.hpp"
#include "platform/fault.hpp"
#include "support/in_child.hpp"

namespace bulkhead::test {

namespace {

constexpr std::size_t large = 1 << 20;

// Its workers, which come to some of the same points, have no faults.
template <class Work>
[[noreturn]] void again_and_again(Work work) {
  const char* const variable = "BULKHEAD_FAULT";
  platform::use_faults(std::getenv(variable));
  ::unsetenv(variable);
  for (;;) work();
}

// Its worker crashes, is replaced, and leaves.
int restarts(const AppArguments&) {
  again_and_again([] {
    TestPool pool{{.workers = 1, .bytes = all_in_ring}};
    static_cast<void>(error_of(pool.run(Die{Death::exit_3})));
    expect(value_of(pool.run(Echo{std::string(large, 'x')})).size() == large);
    expect(pool.shutdown().workers_left == 1);
  });
}

// The grace of a shutdown does not suffice.
int is_impatient(const AppArguments&) {
  again_and_again([] {
    const Gate gate;
    TestPool pool{{.workers = 1}};
    const auto running = pool.run(gate.call("one"));
    gate.runner("one");
    pool.shutdown(std::chrono::milliseconds(1));
  });
}

// The program is none that it can use.
int is_refused(const AppArguments&) {
  again_and_again([] {
    const auto launch = Launch::executable(STRANGE_WORKER).args({"garbage"});
    static_cast<void>(start_error_of([&] { return TestWorker::start({.launch = launch}); }));
  });
}

// A worker takes what it makes: large items, and buffers.
int gives(const AppArguments&) {
  again_and_again([] {
    static ChannelPool channels{{.workers = 1}};
    static Pool<BytesService> buffers{{.workers = 1}};
    const auto bytes = Bytes::copy_of(std::vector<std::byte>(large));
    value_of(buffers.run(KeepBytes{bytes}));
    auto [sender, receiver] = channel<Item>(2);
    auto consumer = channels.run(Consume{.in = std::move(receiver)});
    sender.send({0, std::string(large, 'x')});
    sender.close();
    expect(value_of(std::move(consumer)).count == 1);
  });
}

// It takes what a worker makes.
int takes(const AppArguments&) {
  again_and_again([] {
    static ChannelPool channels{{.workers = 1}};
    static Pool<BytesService> buffers{{.workers = 1}};
    expect(value_of(buffers.run(MakeBytes{.size = large})).size() == large);
    auto [sender, receiver] = channel<Item>(2);
    auto producer = channels.run(Produce{.out = std::move(sender), .count = 1, .size = large});
    expect(receiver.receive().has_value());
    expect(!receiver.receive());
    value_of(std::move(producer));
  });
}

}  // namespace

const Apps point_apps{{"restarts", restarts},
                      {"is_impatient", is_impatient},
                      {"is_refused", is_refused},
                      {"gives", gives},
                      {"takes", takes}};

}  // namespace bulkhead::test
