// ZeroMQ over ipc://, with cereal: a DEALER at each end, so that any number of calls may be open.
#include <deque>
#include <zmq.hpp>

#include "packing.hpp"
#include "peer.hpp"

namespace bulkhead::bench {
namespace {

enum class Kind : char { payload, text };

class End {
 public:
  template <class Value>
  void send(Kind kind, const Value& value) {
    socket.send(zmq::buffer(&kind, sizeof kind), zmq::send_flags::sndmore);
    socket.send(zmq::buffer(packed_.pack(value)));
  }
  Kind receive() {
    static_cast<void>(socket.recv(kind_));
    static_cast<void>(socket.recv(message_));
    return *kind_.data<Kind>();
  }
  template <class Value>
  void take(Value& value) {
    unpack(message_.data(), message_.size(), value);
  }

  zmq::context_t context{1};
  zmq::socket_t socket{context, zmq::socket_type::dealer};

 private:
  Packed packed_;
  zmq::message_t kind_, message_;
};

class ZeroMq : public Subject {
 public:
  ZeroMq() { end_.socket.connect("ipc://" + folder_.path("socket")); }

  void call() override { send(), receive(); }
  void call_many(unsigned calls, unsigned open) override {
    for (unsigned sent = 0, got = 0; got < calls;) {
      for (; sent < calls && sent - got < open; ++sent) send();
      receive();
      ++got;
    }
  }
  void call_with(std::string& text) override {
    end_.send(Kind::text, text);
    end_.receive();
    end_.take(text);
  }
  pid_t worker() override { return server_.pid(); }

 private:
  void send() { end_.send(Kind::payload, payload_); }
  void receive() {
    end_.receive();
    end_.take(payload_);
  }

  Folder folder_;
  Server server_{"ipc://" + folder_.path("socket")};
  End end_;
  Payload payload_{};
};

void serve(const std::string& address) {
  End end;
  end.socket.bind(address);
  say_listening();
  Payload payload{};
  std::string text;
  for (;;) {
    if (end.receive() == Kind::payload)
      end.take(payload), end.send(Kind::payload, payload);
    else
      end.take(text), end.send(Kind::text, text);
  }
}

}  // namespace
}  // namespace bulkhead::bench

int main(int argc, char** argv) {
  using namespace bulkhead::bench;
  return run_peer(
      argc, argv, PEER, PEER_VERSION, [] { return std::make_unique<ZeroMq>(); }, serve);
}
