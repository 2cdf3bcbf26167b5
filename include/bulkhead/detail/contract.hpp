// A service as its two sides compare it when a worker starts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bulkhead/detail/type_name.hpp"
#include "bulkhead/service.hpp"

namespace bulkhead::detail {

struct Contract {
  std::string service;
  std::uint32_t version = 0;
  std::vector<std::string> requests;  // names, in the order of the list

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
