// In which order calls leave the queue.
#include "pool/queue.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace {

using namespace bulkhead;
using pool::Queue;
using rpc::CallId;

constexpr detail::RequestType type{};

rpc::OpenCall open(CallId id, int priority = 0) {
  auto call = std::make_shared<detail::TypedCall<void>>(type);
  call->priority = priority;
  return {.call = std::move(call), .life = {}, .id = id};
}

std::vector<CallId> drained(Queue& queue) {
  std::vector<CallId> ids;
  while (!queue.empty()) ids.push_back(queue.pop_front().id);
  return ids;
}

using Ids = std::vector<CallId>;

}  // namespace

TEST_CASE("Calls leave the queue by priority, and those of one as they came") {
  Queue queue;
  const std::vector<int> priorities = {0, 5, -1, 0, 5, 7, -1};
  for (std::size_t i = 0; i < priorities.size(); ++i) queue.push_back(open(i, priorities[i]));
  CHECK(queue.size() == 7);
  CHECK(queue.front().id == 5);
  CHECK(drained(queue) == Ids{5, 1, 4, 0, 3, 2, 6});
  queue.push_back(open(1, 3));
  queue.push_back(open(2, 3));
  CHECK(drained(queue) == Ids{1, 2});
}

TEST_CASE("Calls that come back go before those of their priority, and after higher ones") {
  Queue queue;
  queue.push_back(open(4));
  queue.push_back(open(5, 1));
  queue.push_front(open(3));
  std::vector<rpc::OpenCall> back;
  back.push_back(open(1));
  back.push_back(open(2));
  queue.push_front(std::move(back));
  CHECK(drained(queue) == Ids{5, 1, 2, 3, 4});
}

TEST_CASE("Calls that were put back in disorder are put in order again") {
  Queue queue;
  for (const CallId id : Ids{2, 4, 6, 1, 3, 5}) queue.push_back(open(id, id > 4 ? 1 : 0));
  queue.restore_order();
  CHECK(drained(queue) == Ids{5, 6, 1, 2, 3, 4});
}

TEST_CASE("Calls that are withdrawn leave no trace, wherever they were") {
  Queue queue;
  std::vector<std::shared_ptr<detail::Call>> calls;
  for (CallId id = 0; id < 100; ++id) {
    auto call = open(id, static_cast<int>(id % 3));
    calls.push_back(call.call);
    queue.push_back(std::move(call));
  }
  for (CallId id = 0; id < 100; ++id)
    if (id % 3 != 0 || id < 90) queue.withdraw(*calls[id]);
  CHECK(queue.size() == 4);
  CHECK(queue.front().id == 90);
  CHECK(drained(queue) == Ids{90, 93, 96, 99});
  CHECK(calls[0]->at == detail::Call::nowhere);
  queue.push_back(open(1));
  queue.push_back(open(2, 4));
  CHECK(queue.take_all().size() == 2);
  CHECK(queue.empty());
}
