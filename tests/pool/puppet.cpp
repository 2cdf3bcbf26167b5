#include "pool/puppet.hpp"

#include <cstring>
#include <utility>

#include "worker/fork_server.hpp"

namespace bulkhead::test {

namespace {

template <class Work>
void do_on_reactor(Work work) {
  const auto reactor = reactor::Reactor::acquire();
  reactor::Moment done;
  reactor->post([&] {
    work(reactor);
    done.happen();
  });
  done.wait(*reactor);
}

// Ordered from a program that starts none.
pool::Calls::Worker worker_without_process(std::uint32_t number) {
  constexpr std::chrono::hours patience{1};
  constexpr std::size_t max_message = 1 << 20;
  pool::Calls::Worker worker;
  do_on_reactor([&](const auto& reactor) {
    const auto nobody =
        worker::ForkServer::launch(reactor, {.path = "/bin/true"}, {}, {}, patience, {});
    worker = worker::WorkerProcess::start(reactor, nobody, number, "simulated",
                                          {patience, max_message}, {});
  });
  return worker;
}

std::span<const std::byte> bytes_of(const rpc::Head& head) {
  return std::as_bytes(std::span(&head, 1));
}

}  // namespace

Puppet::Puppet(std::uint32_t number)
    : app_side_(worker_without_process(number)),
      link_(ipc::End::worker, ipc::Segment::open(app_side_->connection().link().segment().name()),
            std::move(ipc::Doorbell::make().second)) {
  app_side_->connection().link().unlink_segment();
}

void Puppet::runs(std::size_t at_once) {
  at_once_ = at_once;
  rpc::AppEnd::Message ready;
  ready.head.kind = rpc::Kind::ready;
  ready.head.slot = static_cast<rpc::Slot>(at_once);
  do_on_reactor([&](const auto&) { app_side_->said(ready); });
}

bool Puppet::claim(const rpc::Head& head) {
  std::uint64_t queued = rpc::slot_word::queued(head.ticket);
  return link_.segment().slots()[head.slot].compare_exchange_strong(
      queued, rpc::slot_word::begun(head.ticket));
}

std::vector<std::byte> Puppet::begin() {
  if (begun_.size() >= at_once_) return {};
  for (;;) {
    ipc::Buffer frame;
    if (link_.receive(frame) != ipc::Read::frame) return {};
    rpc::Head head;
    std::memcpy(&head, frame.data(), sizeof head);
    const bool limited = head.kind == rpc::Kind::limited;
    if ((head.kind != rpc::Kind::request && !limited) || !claim(head)) continue;
    const std::size_t before = sizeof head + (limited ? sizeof(detail::Limits) : 0);
    begun_.push_back({head, {frame.begin() + static_cast<std::ptrdiff_t>(before), frame.end()}});
    return begun_.back().body;
  }
}

std::vector<std::byte> Puppet::answer(std::size_t which, bool by_throwing) {
  const Begun begun = std::move(begun_[which]);
  begun_.erase(begun_.begin() + static_cast<std::ptrdiff_t>(which));
  rpc::Head head = begun.head;
  head.kind = by_throwing ? rpc::Kind::threw : rpc::Kind::response;
  const std::string thrown("Thrown\0by design", 16);
  const auto body = by_throwing ? std::as_bytes(std::span(thrown)) : std::span(begun.body);
  head.size = body.size();
  if (link_.send(bytes_of(head), body) != ipc::Write::done) throw std::runtime_error("no room");
  return begun.body;
}

void Puppet::is_replaced() {
  begun_.clear();
  for (ipc::Buffer frame; link_.receive(frame) == ipc::Read::frame;) frame.clear();
}

}  // namespace bulkhead::test
