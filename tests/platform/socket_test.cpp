#include "platform/socket.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead::platform;
using bulkhead::test::expect;
using bulkhead::test::in_child;
using bulkhead::test::LeakCheck;
using bulkhead::test::start_in_child;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string text(const Packet& packet) {
  return {reinterpret_cast<const char*>(packet.bytes.data()), packet.bytes.size()};
}

int refused_with(const Fd& socket, std::size_t max_bytes, std::size_t max_fds) {
  try {
    receive_packet(socket, max_bytes, max_fds);
    return 0;
  } catch (const std::system_error& error) {
    return error.code().value();
  }
}

bool comes_without_any(const Fd& socket, std::string_view words, std::size_t max_fds) {
  const Packet packet = receive_packet(socket, 100, max_fds);
  return text(packet) == words && packet.fds.empty();
}

}  // namespace

TEST_CASE("a packet arrives whole, with its descriptors above standard error and close-on-exec") {
  const LeakCheck leaks;
  const auto [ours, theirs] = packet_pair();
  const Pipe pipe = make_pipe();
  const std::array fds{pipe.write.get()};
  CHECK(send_packet(ours, bytes("first"), fds) == Sent::sent);
  CHECK(send_packet(ours, bytes("second")) == Sent::sent);

  const Packet first = receive_packet(theirs, 100, 1);
  CHECK(text(first) == "first");
  REQUIRE(first.fds.size() == 1);
  CHECK(first.fds[0].get() > 2);
  CHECK((::fcntl(first.fds[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(text(receive_packet(theirs, 100, 1)) == "second");
  CHECK(receive_packet(theirs, 100, 1).io == Io::would_block);
}

TEST_CASE("a full socket does not block the sender, and a peer that is gone raises no SIGPIPE") {
  const LeakCheck leaks;
  SocketPair pair = packet_pair();
  const std::string large(1000, 'x');
  Sent sent = Sent::sent;
  while (sent == Sent::sent) sent = send_packet(pair.ours, bytes(large));
  CHECK(sent == Sent::would_block);
  pair.theirs.reset();
  CHECK(send_packet(pair.ours, bytes(large)) == Sent::gone);
}

TEST_CASE("the last words of a peer are received though it left without reading") {
  const LeakCheck leaks;
  SocketPair pair = packet_pair();
  send_packet(pair.ours, bytes("never read"));
  send_packet(pair.theirs, bytes("last words"));
  pair.theirs.reset();
  CHECK(text(receive_packet(pair.ours, 100, 0)) == "last words");
  CHECK(receive_packet(pair.ours, 100, 0).io == Io::end);
}

TEST_CASE("a packet that is too large is refused and its descriptors are closed") {
  const LeakCheck leaks;
  const auto [ours, theirs] = packet_pair();
  const std::array fds{ours.get()};
  send_packet(ours, bytes("four"), fds);
  CHECK(refused_with(theirs, 3, 1) == EMSGSIZE);
}

TEST_CASE("a packet with descriptors that were not asked for comes with none of them") {
  const LeakCheck leaks;
  const auto [ours, theirs] = packet_pair();
  const std::vector<int> flood(max_packet_fds, ours.get());
  for (const std::size_t expected : {0U, 1U, 2U, 252U}) {
    send_packet(ours, bytes("flood"), flood);
    CHECK(comes_without_any(theirs, "flood", expected));
  }
  // One more than expected does not slip in by the padding of the control data.
  const std::array two{ours.get(), ours.get()};
  send_packet(ours, bytes("two"), two);
  CHECK(comes_without_any(theirs, "two", 1));
}

TEST_CASE("a process without room for the descriptors keeps none of them") {
  const LeakCheck leaks;
  const int status = in_child([] {
    const auto [ours, theirs] = packet_pair();
    const std::vector<int> many(10, ours.get());
    send_packet(ours, bytes("many"), many);
    const int next = ::dup(0);
    ::close(next);
    const rlimit limit{static_cast<rlim_t>(next) + 4, static_cast<rlim_t>(next) + 4};
    expect(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    expect(comes_without_any(theirs, "many", 10));
    expect(::dup(0) == next);
  });
  CHECK(status == 0);
}

TEST_CASE("a waiting receiver gets what comes later") {
  const LeakCheck leaks;
  SocketPair pair = packet_pair();
  const pid_t echo = start_in_child([&] {
    pair.ours.reset();
    const Packet asked = receive_packet(pair.theirs, 100, 0, true);
    expect(send_packet(pair.theirs, asked.bytes, {}, true) == Sent::sent);
  });
  pair.theirs.reset();
  CHECK(send_packet(pair.ours, bytes("echo"), {}, true) == Sent::sent);
  CHECK(text(receive_packet(pair.ours, 100, 0, true)) == "echo");
  CHECK(receive_packet(pair.ours, 100, 0, true).io == Io::end);
  CHECK(::waitpid(echo, nullptr, 0) == echo);
}

TEST_CASE("a connection that is hung up ends for whoever else holds it") {
  const LeakCheck leaks;
  SocketPair pair = packet_pair();
  const Fd copy = duplicate(pair.ours);
  send_packet(pair.ours, bytes("last words"));
  hang_up(pair.ours);
  pair.ours.reset();
  CHECK(text(receive_packet(pair.theirs, 100, 0)) == "last words");
  CHECK(receive_packet(pair.theirs, 100, 0).io == Io::end);
}

TEST_CASE("a number from the environment is known to be a packet socket or not") {
  const auto [ours, theirs] = packet_pair();
  const auto streams = stream_pair();
  CHECK(is_packet_socket(ours.get()));
  CHECK_FALSE(is_packet_socket(streams.ours.get()));
  CHECK_FALSE(is_packet_socket(open_null().get()));
  CHECK_FALSE(is_packet_socket(-1));
  CHECK_FALSE(is_packet_socket(99999));
}
