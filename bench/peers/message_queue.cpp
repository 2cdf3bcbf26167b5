// A pair of boost::interprocess::message_queue, with cereal. A queue has all its memory from the
// start, so that texts have a pair of their own, with a worker of its own.
#include <unistd.h>

#include <boost/interprocess/ipc/message_queue.hpp>
#include <optional>

#include "measure.hpp"
#include "packing.hpp"
#include "peer.hpp"

namespace bulkhead::bench {
namespace {

namespace bip = boost::interprocess;

std::string there(const std::string& name) { return name + "-there"; }
std::string back(const std::string& name) { return name + "-back"; }

struct End {
  bip::message_queue out, in;
  Packed packed = {};
  std::vector<char> buffer = std::vector<char>(in.get_max_msg_size());
  std::size_t received = 0;

  template <class Value>
  void send(const Value& value) {
    const auto& bytes = packed.pack(value);
    out.send(bytes.data(), bytes.size(), 0);
  }
  template <class Value>
  void receive(Value& value) {
    unsigned priority = 0;
    in.receive(buffer.data(), buffer.size(), received, priority);
    unpack(buffer.data(), received, value);
  }
};

// Removes the queues' names with it.
class Pair {
 public:
  Pair(const std::string& kind, std::size_t messages, std::size_t bytes)
      : name_("bulkhead-bench-" + kind + "-" + std::to_string(::getpid())),
        end_{{bip::create_only, there(name_).c_str(), messages, bytes},
             {bip::create_only, back(name_).c_str(), messages, bytes}},
        server_(name_) {}
  ~Pair() {
    bip::message_queue::remove(there(name_).c_str());
    bip::message_queue::remove(back(name_).c_str());
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  End& end() { return end_; }
  pid_t worker() const { return server_.pid(); }

 private:
  const std::string name_;
  End end_;
  Server server_;
};

class MessageQueue : public Subject {
 public:
  void call() override {
    calls_.end().send(payload_);
    calls_.end().receive(payload_);
  }
  void call_many(unsigned calls, unsigned open) override {
    for (unsigned sent = 0, got = 0; got < calls; ++got) {
      for (; sent < calls && sent - got < open; ++sent) calls_.end().send(payload_);
      calls_.end().receive(payload_);
    }
  }
  void call_with(std::string& text) override {
    if (!texts_) texts_.emplace("text", 1, 64 * mib + sizeof(std::uint64_t));
    texts_->end().send(text);
    texts_->end().receive(text);
  }
  pid_t worker() override { return calls_.worker(); }

 private:
  Pair calls_{"call", open_calls, sizeof(Payload)};
  std::optional<Pair> texts_;
  Payload payload_{};
};

template <class Value>
void echo(End& end) {
  for (Value value;;) end.receive(value), end.send(value);
}

void serve(const std::string& name) {
  End end{{bip::open_only, back(name).c_str()}, {bip::open_only, there(name).c_str()}};
  say_listening();
  end.in.get_max_msg_size() == sizeof(Payload) ? echo<Payload>(end) : echo<std::string>(end);
}

}  // namespace
}  // namespace bulkhead::bench

int main(int argc, char** argv) {
  using namespace bulkhead::bench;
  return run_peer(
      argc, argv, PEER, PEER_VERSION, [] { return std::make_unique<MessageQueue>(); }, serve);
}
