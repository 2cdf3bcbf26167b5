#include "sleeper.hpp"

#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace bulkhead::bench {
namespace {

enum Side : std::size_t { caller, sleeper };

void must(bool done) {
  if (!done) std::abort();
}

}  // namespace

struct Sleeper::Shared {
  std::chrono::nanoseconds busy;
  Visit visit;
  std::array<std::atomic<std::uint32_t>, 2> rung;  // by futex: for whom
};

// How each side is woken.
class Sleeper::Bells {
 public:
  virtual ~Bells() = default;
  virtual void ring_for(Side side) = 0;
  virtual void wait_as(Side side) = 0;

  static std::unique_ptr<Bells> make(WakeUp by, Shared& shared);
};

std::unique_ptr<Sleeper::Bells> Sleeper::Bells::make(WakeUp by, Shared& shared) {
  // One for each way: a side that reads where it has written wakes when that is read.
  struct Socketpair : Bells {
    Socketpair() {
      for (auto& pair : pairs) must(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0);
    }
    ~Socketpair() override {
      for (const auto& pair : pairs) ::close(pair[0]), ::close(pair[1]);
    }
    void ring_for(Side side) override { must(::write(pairs[side][0], "", 1) == 1); }
    void wait_as(Side side) override {
      char byte = 0;
      must(::read(pairs[side][1], &byte, 1) == 1);
    }
    std::array<std::array<int, 2>, 2> pairs{};
  };
  struct Eventfd : Bells {
    Eventfd() {
      for (int& fd : fds) must((fd = ::eventfd(0, 0)) >= 0);
    }
    ~Eventfd() override {
      for (const int fd : fds) ::close(fd);
    }
    void ring_for(Side side) override { must(::eventfd_write(fds[side], 1) == 0); }
    void wait_as(Side side) override {
      eventfd_t value = 0;
      must(::eventfd_read(fds[side], &value) == 0);
    }
    std::array<int, 2> fds{};
  };
  struct Futex : Bells {
    explicit Futex(Shared& memory) : rung(memory.rung) {}
    void ring_for(Side side) override {
      rung[side] = 1;
      ::syscall(SYS_futex, &rung[side], FUTEX_WAKE, 1, nullptr, nullptr, 0);
    }
    void wait_as(Side side) override {
      while (rung[side] == 0) ::syscall(SYS_futex, &rung[side], FUTEX_WAIT, 0, nullptr, nullptr, 0);
      rung[side] = 0;
    }
    std::array<std::atomic<std::uint32_t>, 2>& rung;
  };
  if (by == WakeUp::socketpair) return std::make_unique<Socketpair>();
  if (by == WakeUp::eventfd) return std::make_unique<Eventfd>();
  return std::make_unique<Futex>(shared);
}

Visit stay_busy(std::chrono::nanoseconds time) {
  Visit visit{.began = Clock::now()};
  do visit.ended = Clock::now();
  while (visit.ended - visit.began < time);
  return visit;
}

Sleeper::Sleeper(WakeUp by, std::optional<int> core)
    : shared_([] {
        void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        must(memory != MAP_FAILED);
        return new (memory) Shared{};
      }()),
      bells_(Bells::make(by, *shared_)),
      child_([this, core] {
        if (core) pin_to(*core);
        serve();
      }) {}

Sleeper::~Sleeper() {
  ::kill(child_.pid(), SIGKILL);
  ::munmap(shared_, sizeof(Shared));
}

Visit Sleeper::call(std::chrono::nanoseconds busy) {
  shared_->busy = busy;
  bells_->ring_for(sleeper);
  bells_->wait_as(caller);
  return shared_->visit;
}

void Sleeper::serve() {
  for (;;) {
    bells_->wait_as(sleeper);
    shared_->visit = stay_busy(shared_->busy);
    bells_->ring_for(caller);
  }
}

}  // namespace bulkhead::bench
