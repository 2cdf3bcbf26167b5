// Both ends of a connection in one process: the app's in the test's own thread, and a worker or a
// hostile peer at the other.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ipc/own_ring.hpp"
#include "rpc/app_end.hpp"
#include "rpc/worker_end.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::test {

using Bytes = ipc::Buffer;

inline constexpr detail::RequestType echo{.name = "Echo", .index = 3, .idempotent = false};

inline rpc::OpenCall call(rpc::CallId id, const Bytes& request = {}) {
  auto made = std::make_shared<detail::TypedCall<std::string>>(echo);
  made->request.assign(request.begin(), request.end());
  return {.call = std::move(made), .life = {}, .id = id};
}

inline std::vector<rpc::CallId> ids(const std::vector<rpc::OpenCall>& calls) {
  std::vector<rpc::CallId> found;
  for (const rpc::OpenCall& one : calls) found.push_back(one.id);
  return found;
}

inline Bytes copy_of(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Size {
  std::uint32_t slots = 16;
  std::uint64_t ring_bytes = 256 * 1024;
  std::size_t max_message = std::size_t{1} << 30;
  unsigned threads = 1;  // of the worker
};

// The app's end, and what the other end is made of.
struct AppSide {
  explicit AppSide(const Size& size = {}) {
    auto [app_bell, worker_bell] = ipc::Doorbell::make();
    ipc::Segment own = ipc::Segment::create({.slots = size.slots, .ring_bytes = size.ring_bytes});
    peer = std::make_unique<ipc::Segment>(ipc::Segment::open(own.name()));
    own.unlink();
    peer_bell = std::make_unique<ipc::Doorbell>(std::move(worker_bell));
    app = std::make_unique<rpc::AppEnd>(std::move(own), std::move(app_bell), size.max_message);
  }

  std::unique_ptr<ipc::Segment> peer;
  std::unique_ptr<ipc::Doorbell> peer_bell;
  std::unique_ptr<rpc::AppEnd> app;
};

// With a worker, used in the same thread, or in one of its own until the app is gone.
struct Ends {
  explicit Ends(const Size& size = {}) : Ends(AppSide(size), size) {}

  void in_thread(std::function<void(rpc::WorkerEnd&)> work) {
    thread = std::jthread([this, work = std::move(work)] { work(*worker); });
  }

  std::unique_ptr<rpc::WorkerEnd> worker;
  std::jthread thread;  // its end waits for the app's, below, to be gone
  std::unique_ptr<rpc::AppEnd> app;

 private:
  Ends(AppSide side, const Size& size)
      : worker(std::make_unique<rpc::WorkerEnd>(std::move(*side.peer), std::move(*side.peer_bell),
                                                size.max_message, size.threads)),
        app(std::move(side.app)) {}
};

// What a worker's main loop does.
inline void echo_until_the_end(rpc::WorkerEnd& worker) {
  rpc::WorkerEnd::Request request;
  while (worker.next(request) == rpc::WorkerEnd::Next::request)
    if (!worker.respond(request.head, request.body())) return;
}

// What the owner of a connection does until a message has come: sends what has no room yet, looks,
// says that it sleeps, looks again, and waits at the doorbell.
inline rpc::AppEnd::Message next_message(rpc::AppEnd& app) {
  const auto watchdog = std::chrono::steady_clock::now() + default_watchdog;
  for (rpc::AppEnd::Message message;;) {
    app.flush();
    switch (app.receive(message)) {
      case rpc::AppEnd::Received::message:
        return message;
      case rpc::AppEnd::Received::violation:
        throw std::runtime_error("the worker broke a rule: " + app.violation());
      case rpc::AppEnd::Received::nothing:
        break;
    }
    if (app.link().arm()) continue;
    const auto heard = app.link().bell().hear(watchdog);
    if (heard == ipc::Bell::quiet) throw std::runtime_error("the worker says nothing");
    if (heard == ipc::Bell::closed && !app.link().arm())
      throw std::runtime_error("the worker is gone");
    app.link().disarm();
  }
}

}  // namespace bulkhead::test
