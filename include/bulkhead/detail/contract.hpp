// A service as its two sides compare it when a worker starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bulkhead/detail/type_name.hpp"
#include "bulkhead/service.hpp"

namespace bulkhead::detail {

// Frames depend on the sizes of standard types. Two sides that differ here were built with
// different standard libraries, or modes of one.
inline constexpr std::uint64_t abi_mark = [] {
  std::uint64_t mark = 0;
  for (const std::size_t size :
       {sizeof(void*), sizeof(long double), sizeof(std::string), sizeof(std::vector<int>),
        sizeof(std::map<int, int>), sizeof(std::unordered_map<int, int>)})
    mark = mark * 251 + size;
  return mark;
}();

struct Contract {
  std::string service;
  std::uint32_t version = 0;
  std::vector<std::string> requests;  // names, in the order of the list
  std::uint64_t abi = abi_mark;

  bool operator==(const Contract&) const = default;
};

template <class S>
const Contract& contract_of() {
  static const Contract contract = {
      .service = std::string(ListOf<S>::name),
      .version = S::version,
      .requests = ListOf<S>::apply([]<class... Requests>() {
        return std::vector<std::string>{std::string(type_name<Requests>())...};
      }),
      .abi = abi_mark,
  };
  return contract;
}

// What the compiled core knows of one request type.
struct RequestType {
  std::string_view name;  // without namespaces
  std::uint32_t index;    // in the service's list
  bool idempotent;
};

template <class S, class R>
inline constexpr RequestType request_type = {type_name<R>(), request_index<R, S>, is_idempotent<R>};

}  // namespace bulkhead::detail
