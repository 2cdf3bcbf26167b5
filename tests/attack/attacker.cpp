#include "attack/attacker.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "attack/mutation.hpp"
#include "attack/tally.hpp"
#include "faults/service/own_segment.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::attack {

namespace {

using Words = std::span<std::uint64_t>;

constexpr std::size_t words_of_control = 512;  // a page

// What this process shares with the app and may write: its segment, channels, buffers.
std::vector<Words> shared_memory() {
  std::vector<Words> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw-s ") == line.npos) continue;
    if (line.find("/dev/shm/bulkhead-") == line.npos && line.find("/memfd:bulkhead") == line.npos)
      continue;
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end;
    found.emplace_back(reinterpret_cast<std::uint64_t*>(begin),
                       (end - begin) / sizeof(std::uint64_t));
  }
  return found;
}

std::vector<int> bells_of_connection;

// Whether the other side takes all that was sent to it, within a moment.
bool is_heard(int socket) {
  int waiting = 0;
  for (int tries = 0; tries < 100; ++tries) {
    if (::ioctl(socket, SIOCOUTQ, &waiting) != 0 || waiting == 0) return true;
    std::this_thread::yield();
  }
  return false;
}

class Attacker {
 public:
  Attacker(std::uint64_t seed, std::uint64_t call) : mutator_(seed), call_(call) {}

  void mutate(Kind kind) {
    switch (kind) {
      case Kind::control:
      case Kind::anywhere:
        return change_memory(kind);
      case Kind::last_frame:
        return change_last_frame();
      case Kind::frame:
        return publish_frame();
      case Kind::bell:
        return send(test::own_sockets(), 1 + mutator_.below(64), 0);
      case Kind::packet:
        return send(test::own_sockets(SOCK_SEQPACKET), mutator_.below(128), mutator_.below(4));
    }
  }
  // The other side is to see one mutation by itself, or a few together.
  void ring_as_a_rule() {
    if (mutator_.below(2) == 0) return;
    for (const int bell : bells_of_connection) {
      ::send(bell, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (!test::wait_until([bell] { return is_heard(bell); }))
        throw std::runtime_error("the app does not listen");
    }
  }
  Kind next() { return mutator_.next(); }

 private:
  void change(std::uint64_t& word) {
    const std::atomic_ref shared(word);
    shared.store(mutator_.changed(shared.load(std::memory_order_relaxed)));
  }
  // New memory comes with channels and buffers while this goes on.
  void change_memory(Kind kind) {
    const auto shared = shared_memory();
    if (shared.empty()) return;
    const Words words = shared[mutator_.below(shared.size())];
    const std::size_t range = std::min(words.size(), words_of_control);
    change(words[mutator_.below(kind == Kind::control ? range : words.size())]);
  }
  void change_last_frame() {
    const Words data = segment_.answer_data();
    const std::uint64_t end = segment_.answers().tail.load() / sizeof(std::uint64_t);
    constexpr std::uint64_t reach = 16;
    change(data[(end - 1 - mutator_.below(reach)) % data.size()]);
  }
  // The answer that its own call would get, but for some of its words.
  void publish_frame() {
    rpc::Head head = segment_.head_of_answer(call_, 0);
    head.kind = rpc::Kind{static_cast<std::uint16_t>(mutator_.below(14))};
    std::vector<std::byte> bytes(sizeof head + mutator_.below(256));
    std::memcpy(bytes.data(), &head, sizeof head);
    for (std::uint64_t left = mutator_.below(4); left > 0; --left) {
      std::uint64_t word = 0;
      std::byte* const at = bytes.data() + mutator_.below(bytes.size() / sizeof word) * sizeof word;
      std::memcpy(&word, at, sizeof word);
      word = mutator_.changed(word);
      std::memcpy(at, &word, sizeof word);
    }
    segment_.publish(bytes, mutator_.below(8) == 0 ? ipc::more : 0);
  }
  void send(const std::vector<int>& sockets, std::size_t bytes, std::size_t descriptors) {
    if (sockets.empty()) return;
    std::array<unsigned char, 128> data{};
    for (auto& byte : data) byte = static_cast<unsigned char>(mutator_.below(256));
    iovec part{data.data(), std::min(bytes, data.size())};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(4 * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (descriptors > 0) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
      cmsghdr* const header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
      const std::array<int, 4> given{0, 1, 2, sockets.front()};
      std::memcpy(CMSG_DATA(header), given.data(), descriptors * sizeof(int));
    }
    ::sendmsg(sockets[mutator_.below(sockets.size())], &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  Mutator mutator_;
  const std::uint64_t call_;
  const test::OwnSegment segment_;
};

}  // namespace

void prepare() { bells_of_connection = test::own_sockets(); }

void attack(const Attack& request, const Context& context) {
  static const Tally tally(std::getenv(Tally::variable));
  Attacker attacker(request.seed, context.request_id());
  for (std::uint32_t i = 0; i < request.mutations; ++i) {
    const Kind kind = attacker.next();
    if (!request.harmless) {
      tally.note(kind);
      attacker.mutate(kind);
    }
    attacker.ring_as_a_rule();
  }
  if (request.harmless) ::raise(SIGKILL);
}

}  // namespace bulkhead::attack
