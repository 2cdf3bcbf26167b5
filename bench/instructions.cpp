// Makes calls through all but the processes: one thread is the caller and the worker in turn, and
// nobody waits. Run under callgrind, which counts the instructions within bulkhead_bench_counted():
// nearly the same number every time, whatever else the machine does (instructions.py).
#include <gnu/libc-version.h>

#include <boost/version.hpp>
#include <cereal/version.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bulkhead/detail/worker_set.hpp"
#include "measure.hpp"
#include "pool/calls.hpp"
#include "reactor/reactor.hpp"
#include "rpc/worker_end.hpp"
#include "service.hpp"
#include "worker/fork_server.hpp"
#include "worker/worker_process.hpp"

namespace bulkhead::bench {
namespace {

constexpr std::size_t max_message = mib;
constexpr std::chrono::hours patience{1};

// The app's side of a worker, which was ordered from a program that starts none.
pool::Calls::Worker worker_without_process(const std::shared_ptr<reactor::Reactor>& reactor) {
  pool::Calls::Worker worker;
  reactor::Moment started;
  reactor->post([&] {
    const auto nobody = worker::ForkServer::launch(
        reactor, {.path = "/bin/true"}, detail::contract_of<Benched>(), {}, patience, {});
    worker = worker::WorkerProcess::start(reactor, nobody, 1, "bench", {patience, max_message}, {});
    started.happen();
  });
  started.wait(*reactor);
  return worker;
}

std::unique_ptr<detail::Dispatcher> make_handlers() {
  return detail::make_dispatcher<Benched>(
      [](const Echo& request) { return request.payload; },
      [](EchoText request) { return std::move(request.text); },
      [](EchoBytes request) { return std::move(request.bytes); }, [](const Pin&) {},
      [](const WhoAnswers&) { return 0; }, [](const Crash&) {});
}

// Both sides of a pool of one worker.
class BothSides final : public detail::WorkerSet {
 public:
  BothSides() {
    app_side_->connection().link().unlink_segment();
    calls_->seat(0, app_side_);
    calls_->joined(0);
  }

  template <class Request>
  auto run(const Request& request) {
    return detail::run<ResponseOf<Request>>(this, detail::request_type<Benched, Request>, request);
  }
  // What a worker does with the next request, which must be there.
  void answer_one() {
    if (worker_side_.next(request_) != rpc::WorkerEnd::Next::request) std::abort();
    Context context(request_.head.id);
    response_.clear();
    handlers_->serve(request_.head.request, request_.body(), context, response_);
    if (!worker_side_.respond(request_.head, response_)) std::abort();
  }

  void start(std::function<void(std::exception_ptr)>) override {}
  std::weak_ptr<detail::Start> starting() const override { return {}; }
  void submit(std::shared_ptr<detail::Call> call, const RunOptions* options) override {
    calls_->submit(std::move(call), options);
  }
  void turn_away(detail::Call& call, std::exception_ptr why) override {
    calls_->turn_away(call, std::move(why));
  }
  boost::asio::any_io_executor executor() const override { return {}; }
  MutableBytes make_bytes(std::size_t size) override { return detail::make_own_bytes(size); }
  MutableBytes make_block(std::size_t) override { return {}; }
  PoolStats stats() const override { return {}; }
  std::vector<std::uint64_t> ready_workers() const override { return {}; }
  void clear_quarantine(const std::string&) override {}
  void reload() override {}
  Containment containment() const override { return {}; }
  ShutdownReport shutdown(std::chrono::milliseconds) override { return {}; }
  void shutdown(std::chrono::milliseconds, std::function<void(ShutdownReport)>) override {}
  std::optional<CrashReport> crash() const override { return {}; }
  bool alive() const override { return true; }
  pid_t pid() const override { return 0; }

 private:
  const std::shared_ptr<reactor::Reactor> reactor_ = reactor::Reactor::acquire();
  const pool::Calls::Worker app_side_ = worker_without_process(reactor_);
  const std::shared_ptr<pool::Calls> calls_ = std::make_shared<pool::Calls>(
      "bench",
      pool::Calls::Limits{.members = 1, .queue = 1024, .message = max_message, .attempts = 1},
      std::weak_ptr<pool::Calls::Listener>());
  const std::string segment_ = app_side_->connection().link().segment().name();
  std::pair<ipc::Doorbell, ipc::Doorbell> bells_ = ipc::Doorbell::make();
  rpc::WorkerEnd worker_side_{ipc::Segment::open(segment_), std::move(bells_.second), max_message};
  const std::unique_ptr<detail::Dispatcher> handlers_ = make_handlers();
  rpc::WorkerEnd::Request request_;
  detail::Buffer response_;
};

template <class Request>
void call_in_turn(BothSides& sides, unsigned calls, const Request& request) {
  for (unsigned i = 0; i < calls; ++i) {
    auto answer = sides.run(request);
    sides.answer_one();
    answer.get();
  }
}

void call_many(BothSides& sides, unsigned calls) {
  std::vector<Future<Payload>> answers(open_calls);
  for (unsigned i = 0; i < calls; i += open_calls) {
    for (auto& answer : answers) answer = sides.run(Echo{});
    for (unsigned left = open_calls; left > 0; --left) sides.answer_one();
    for (auto& answer : answers) answer.get();
  }
}

using Case = void (*)(BothSides&, unsigned calls);
const std::map<std::string, Case> cases = {
    {"call", [](BothSides& sides, unsigned calls) { call_in_turn(sides, calls, Echo{}); }},
    {"call_256_open", call_many},
    {"call_16kib",
     [](BothSides& sides, unsigned calls) {
       call_in_turn(sides, calls, EchoText{std::string(std::size_t{16} * 1024, 'x')});
     }},
};

// All that the counts depend on, and that the program knows.
void print_toolchain() {
#ifdef __clang__
  const char* const compiler = "Clang";
#else
  const char* const compiler = "GCC";
#endif
  std::printf("%s %s, glibc %s, Boost %s, cereal %d.%d.%d\n", compiler, __VERSION__,
              ::gnu_get_libc_version(), BOOST_LIB_VERSION, CEREAL_VERSION_MAJOR,
              CEREAL_VERSION_MINOR, CEREAL_VERSION_PATCH);
}

}  // namespace
}  // namespace bulkhead::bench

extern "C" [[gnu::noinline]] void bulkhead_bench_counted(bulkhead::bench::Case calls,
                                                         bulkhead::bench::BothSides& sides,
                                                         unsigned count) {
  calls(sides, count);
}

int main(int argc, char** argv) {
  using namespace bulkhead::bench;
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "toolchain" && argc == 2) {
    print_toolchain();
    return 0;
  }
  const auto found = cases.find(what);
  if (found == cases.end() || argc != 3) {
    std::fprintf(stderr, "usage: %s toolchain | call|call_256_open|call_16kib CALLS\n", argv[0]);
    return 64;
  }
  const auto count = static_cast<unsigned>(std::stoul(argv[2]));
  BothSides sides;
  found->second(sides, count);  // until every buffer has its size
  bulkhead_bench_counted(found->second, sides, count);
  std::_Exit(0);  // there is no worker to be ended
}
