// What tests of bytes send and expect.
#pragma once

#include <algorithm>

#include "faults/calls.hpp"
#include "faults/service/bytes_service.hpp"

namespace bulkhead::test {

using BytesPool = Pool<BytesService>;
using BytesWorker = Worker<BytesService>;

inline constexpr std::size_t large = std::size_t{1} << 20;

template <class Owner>
Bytes filled(Owner& owner, std::size_t size, char value) {
  MutableBytes bytes = owner.make_bytes(size);
  std::fill_n(bytes.data(), bytes.size(), std::byte(value));
  return bytes;
}

inline bool holds(const Bytes& bytes, std::size_t size, char value) {
  return bytes.size() == size && std::all_of(bytes.span().begin(), bytes.span().end(),
                                             [&](std::byte at) { return at == std::byte(value); });
}

}  // namespace bulkhead::test
