#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "bulkhead/detail/contract.hpp"
#include "bulkhead/service.hpp"

namespace {

struct Image {};

struct Thumbnail {
  using Response = Image;
};
struct Probe {
  using Response = void;
  static constexpr bool idempotent = true;
};
struct Steady {
  using Response = std::unique_ptr<int>;
  static constexpr bool idempotent = false;
};
struct NoRequest {};

struct Thumbnailer : bulkhead::Service<"thumbnailer", Thumbnail, Probe> {};
struct Second : bulkhead::Service<"second", Steady, Probe> {
  static constexpr std::uint32_t version = 7;
};

template <class S, bulkhead::RequestOf<S> R>
void takes(R) {}

using bulkhead::detail::Contract;
using bulkhead::detail::contract_of;
using bulkhead::detail::request_type;

static_assert(bulkhead::Request<Thumbnail>);
static_assert(!bulkhead::Request<NoRequest>);
static_assert(!bulkhead::Request<int>);
static_assert(bulkhead::RequestOf<Thumbnail, Thumbnailer>);
static_assert(!bulkhead::RequestOf<Steady, Thumbnailer>);
static_assert(!bulkhead::RequestOf<NoRequest, Thumbnailer>);
static_assert(!bulkhead::RequestOf<Thumbnail, NoRequest>);
static_assert(std::same_as<bulkhead::ResponseOf<Thumbnail>, Image>);
static_assert(std::is_void_v<bulkhead::ResponseOf<Probe>>);
static_assert(bulkhead::is_idempotent<Probe>);
static_assert(!bulkhead::is_idempotent<Steady>);
static_assert(!bulkhead::is_idempotent<Thumbnail>);
static_assert(bulkhead::detail::request_count<Thumbnailer> == 2);

}  // namespace

TEST_CASE("a contract is the service's name, version and requests in order") {
  takes<Thumbnailer>(Thumbnail{});
  CHECK(contract_of<Thumbnailer>() == Contract{"thumbnailer", 0, {"Thumbnail", "Probe"}});
  CHECK(contract_of<Second>() == Contract{"second", 7, {"Steady", "Probe"}});
}

TEST_CASE("a request type is its name, its place and whether it may run twice") {
  CHECK(request_type<Thumbnailer, Thumbnail>.name == "Thumbnail");
  CHECK(request_type<Thumbnailer, Thumbnail>.index == 0);
  CHECK_FALSE(request_type<Thumbnailer, Thumbnail>.idempotent);
  CHECK(request_type<Thumbnailer, Probe>.index == 1);
  CHECK(request_type<Thumbnailer, Probe>.idempotent);
}
