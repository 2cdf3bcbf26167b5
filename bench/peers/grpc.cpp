// gRPC over a unix socket: synchronous unary calls; for many open calls its asynchronous client,
// with a completion queue. The worker uses the callback API.
#include <grpcpp/grpcpp.h>

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "echo.grpc.pb.h"
#include "peer.hpp"

namespace bulkhead::bench {
namespace {

using echo::Echo;
using Message = echo::Payload;

std::shared_ptr<grpc::Channel> channel_to(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // no limit; by default 4 MiB
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void must(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error("gRPC: " + status.error_message());
}

// One call of the asynchronous client, used again for the next.
struct OpenCall {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Message>> reader;
  Message answer;
  grpc::Status status;
};

class Grpc : public Subject {
 public:
  Grpc() { request_.set_data(std::string(sizeof(Payload), 'x')); }
  ~Grpc() override { queue_.Shutdown(); }

  void call() override { call(request_, answer_); }
  void call_many(unsigned calls, unsigned open) override {
    std::vector<OpenCall> slots(open);
    unsigned sent = 0;
    for (; sent < open && sent < calls; ++sent) send(slots[sent]);
    for (unsigned got = 0; got < calls; ++got) {
      OpenCall& answered = next();
      if (sent < calls) send(answered), ++sent;
    }
  }
  void call_with(std::string& text) override {
    Message request, answer;
    request.set_data(std::move(text));
    call(request, answer);
    text = std::move(*answer.mutable_data());
  }
  pid_t worker() override { return server_.pid(); }

 private:
  void call(const Message& request, Message& answer) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    must(stub_->Call(&context, request, &answer));
  }
  void send(OpenCall& open) {
    open.context = std::make_unique<grpc::ClientContext>();
    open.reader = stub_->AsyncCall(open.context.get(), request_, &queue_);
    open.reader->Finish(&open.answer, &open.status, &open);
  }
  OpenCall& next() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    auto& open = *static_cast<OpenCall*>(tag);
    must(open.status);
    return open;
  }

  Folder folder_;
  const std::string address_ = "unix:" + folder_.path("socket");
  Server server_{address_};
  std::unique_ptr<Echo::Stub> stub_ = Echo::NewStub(channel_to(address_));
  grpc::CompletionQueue queue_;
  Message request_, answer_;
};

class Service final : public Echo::CallbackService {
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context, const Message* request,
                                 Message* answer) override {
    answer->set_data(request->data());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

void serve(const std::string& address) {
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  say_listening();
  server->Wait();
}

}  // namespace
}  // namespace bulkhead::bench

int main(int argc, char** argv) {
  using namespace bulkhead::bench;
  return run_peer(
      argc, argv, PEER, PEER_VERSION, [] { return std::make_unique<Grpc>(); }, serve);
}
