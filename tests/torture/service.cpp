#include "torture/service.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "torture/board.hpp"

namespace bulkhead::torture {

namespace {

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

Receipt perform(const Task& task) {
  count_execution(task.number);
  if (task.data != data_of(task.number, task.data.size()))
    throw std::logic_error("this is not what was sent");
  if (task.starts_helper) start_helper();
  if (task.takes_us) std::this_thread::sleep_for(std::chrono::microseconds(task.takes_us));
  platform::fault_point("torture.handler");
  if (task.throws) throw std::runtime_error("as it was told to");
  return {task.number, ::getpid(), data_of(task.number, task.answer_size)};
}

}  // namespace

std::string data_of(std::uint64_t number, std::size_t size) {
  std::string data(size, '\0');
  std::uint64_t word = number * 0x9e3779b97f4a7c15u + 1;
  for (std::size_t at = 0; at < size; at += sizeof word, word += 0x2545f4914f6cdd1du)
    std::memcpy(data.data() + at, &word, std::min(sizeof word, size - at));
  return data;
}

void serve_if_worker() {
  const Shared* const board = Board::joined();
  bulkhead::serve_if_worker<Torture>(
      ServeOptions{.threads = board ? board->threads.load() : 1},
      [](const Task& task) { return perform(task); },
      [](const Retried& task) { return perform(task); });
}

}  // namespace bulkhead::torture
