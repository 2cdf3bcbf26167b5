// A worker in which nothing happens but what a history says, one step at a time: no process, no
// thread. The app's side of it is a real one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ipc/link.hpp"
#include "pool/calls.hpp"
#include "reactor/reactor.hpp"

namespace bulkhead::test {

class Puppet {
 public:
  explicit Puppet(std::uint32_t number);

  const pool::Calls::Worker& app_side() const { return app_side_; }
  // How many calls it runs at once from now on: for one that has none.
  void runs(std::size_t at_once);
  std::size_t at_once() const { return at_once_; }

  // It takes up the next call that it was given, if it has a thread free. The body of its request;
  // empty if it took none.
  std::vector<std::byte> begin();
  std::size_t running() const { return begun_.size(); }
  // Answers the how manyth of those that it runs; gives the body of its request.
  std::vector<std::byte> answer(std::size_t which, bool by_throwing);
  // Another one is there instead, and knows nothing.
  void is_replaced();

 private:
  struct Begun {
    rpc::Head head;
    std::vector<std::byte> body;
  };
  bool claim(const rpc::Head& head);

  const pool::Calls::Worker app_side_;
  ipc::Link link_;
  std::size_t at_once_ = 1;
  std::vector<Begun> begun_;
};

}  // namespace bulkhead::test
