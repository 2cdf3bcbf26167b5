#include "torture/service.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "support/numbered.hpp"
#include "torture/board.hpp"

namespace bulkhead::torture {

namespace {

using test::blob_of, test::data_of, test::is_blob_of;

void start_helper() {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  for (;;) ::pause();
}

// Applications that are to be killed have no board.
void count_execution(std::uint64_t number) {
  Shared* const board = Board::joined();
  if (!board) return;
  board->marks[number].executor = ::getpid();
  ++board->marks[number].executions;
}

// One that is asked to stop does.
void take_time(std::chrono::microseconds time, const Context& context) {
  const auto end = Clock::now() + time;
  while (!context.stop_requested() && Clock::now() < end)
    std::this_thread::sleep_for(std::min(time, std::chrono::microseconds(100)));
}

Receipt perform(const Task& task, Context& context) {
  count_execution(task.number);
  if (task.data != data_of(task.number, task.data.size()) || !is_blob_of(task.number, task.blob))
    throw std::logic_error("this is not what was sent");
  if (task.starts_helper) start_helper();
  take_time(std::chrono::microseconds(task.takes_us), context);
  platform::fault_point("torture.handler");
  if (task.throws) throw std::runtime_error("as it was told to");
  Receipt receipt{task.number, ::getpid(), data_of(task.number, task.answer_size)};
  if (task.answer_blob_size)
    receipt.blob = blob_of(task.number, context.make_bytes(task.answer_blob_size));
  return receipt;
}

Receipt send_back(Stream stream, Context& context) {
  count_execution(stream.number);
  std::size_t items = 0;
  for (; const auto item = stream.in.receive(context.stop_token()); ++items) {
    platform::fault_point("torture.streaming");
    if (stream.throws) throw std::runtime_error("as it was told to");
    stream.out.send(*item, context.stop_token());
  }
  return {stream.number, ::getpid(), data_of(stream.number, items)};
}

}  // namespace

void serve_if_worker() {
  const Shared* const board = Board::joined();
  bulkhead::serve_if_worker<Torture>(
      ServeOptions{.threads = board ? board->threads.load() : 1},
      [](const Task& task, Context& context) { return perform(task, context); },
      [](const Retried& task, Context& context) { return perform(task, context); }, send_back);
}

}  // namespace bulkhead::torture
