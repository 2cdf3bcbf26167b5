// Cap'n Proto RPC over a unix socket. Calls are pipelined on one connection by one event loop.
#include <capnp/ez-rpc.h>

#include <deque>
#include <stdexcept>

#include "echo.capnp.h"
#include "peer.hpp"

namespace bulkhead::bench {
namespace {

using echo::Echo;

// Its guard against huge messages is at 64 MiB unless told.
constexpr capnp::ReaderOptions large{.traversalLimitInWords = std::uint64_t{1} << 32};

kj::ArrayPtr<const kj::byte> bytes_of(const char* data, std::size_t size) {
  return {reinterpret_cast<const kj::byte*>(data), size};
}

class CapnProto : public Subject {
 public:
  ~CapnProto() noexcept override = default;

  void call() override { send().wait(client_.getWaitScope()); }
  void call_many(unsigned calls, unsigned open) override {
    std::deque<Answer> answers;
    for (unsigned i = 0; i < calls; ++i) {
      if (answers.size() == open) {
        answers.front().wait(client_.getWaitScope());
        answers.pop_front();
      }
      answers.push_back(send());
    }
    for (auto& answer : answers) answer.wait(client_.getWaitScope());
  }
  // The answer can be read where it is.
  void call_with(std::string& text) override {
    auto request = echo_.callRequest(capnp::MessageSize{text.size() / sizeof(capnp::word) + 64, 0});
    request.setData(bytes_of(text.data(), text.size()));
    const auto answer = request.send().wait(client_.getWaitScope());
    if (answer.getData().size() != text.size()) throw std::runtime_error("not what was sent");
  }
  pid_t worker() override { return server_.pid(); }

 private:
  using Answer = capnp::RemotePromise<Echo::CallResults>;

  Answer send() {
    auto request = echo_.callRequest();
    request.setData(bytes_of(payload_.data(), payload_.size()));
    return request.send();
  }

  Folder folder_;
  Server server_{"unix:" + folder_.path("socket")};
  capnp::EzRpcClient client_{"unix:" + folder_.path("socket"), 0, large};
  Echo::Client echo_ = client_.getMain<Echo>();
  Payload payload_{};
};

class Service final : public Echo::Server {
  kj::Promise<void> call(CallContext context) override {
    const auto data = context.getParams().getData();
    const std::size_t words = data.size() / sizeof(capnp::word) + 64;
    context.getResults(capnp::MessageSize{words, 0}).setData(data);
    return kj::READY_NOW;
  }
};

void serve(const std::string& address) {
  capnp::EzRpcServer server(kj::heap<Service>(), address, 0, large);
  server.getPort().wait(server.getWaitScope());
  say_listening();
  kj::NEVER_DONE.wait(server.getWaitScope());
}

}  // namespace
}  // namespace bulkhead::bench

int main(int argc, char** argv) {
  using namespace bulkhead::bench;
  return run_peer(
      argc, argv, PEER, PEER_VERSION, [] { return std::make_unique<CapnProto>(); }, serve);
}
