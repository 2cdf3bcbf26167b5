// What the tests of channels have in common.
#pragma once

#include "faults/calls.hpp"
#include "faults/service/channel_service.hpp"

namespace bulkhead::test {

using ChannelPool = Pool<ChannelService>;
using ChannelWorker = Worker<ChannelService>;
using Numbers = std::vector<std::uint64_t>;

template <class Work>
Error channel_error_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error("it has not failed");
}

// All that comes until its end.
inline Numbers drain(Receiver<std::uint64_t>& receiver) {
  Numbers numbers;
  for (const std::uint64_t number : receiver) numbers.push_back(number);
  return numbers;
}

inline Numbers up_to(std::uint64_t count) {
  Numbers numbers(count);
  for (std::uint64_t i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

}  // namespace bulkhead::test
