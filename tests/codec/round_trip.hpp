// A value's way to the other process and back, without the processes.
#pragma once

#include "bulkhead/detail/codec.hpp"

template <class T>
bulkhead::detail::Buffer encoded(const T& value) {
  bulkhead::detail::Buffer bytes;
  bulkhead::detail::encode(bytes, value);
  return bytes;
}

template <class T>
T round_trip(const T& value) {
  return bulkhead::detail::decode<T>(encoded(value));
}
