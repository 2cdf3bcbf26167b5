#include <catch2/catch.hpp>
#include <string_view>

#include "bulkhead/detail/type_name.hpp"

using bulkhead::detail::type_name;

struct AtTop {};

namespace app::requests {
struct Probe {};
struct Outer {
  struct Inner {};
};
template <class T>
struct Box {};
}  // namespace app::requests

namespace {
struct Hidden {};
}  // namespace

static_assert(type_name<AtTop>() == "AtTop");
static_assert(type_name<app::requests::Probe>() == "Probe");
static_assert(type_name<app::requests::Outer::Inner>() == "Inner");
static_assert(type_name<Hidden>() == "Hidden");
static_assert(type_name<app::requests::Box<app::requests::Probe>>() == "Box<app::requests::Probe>");

TEST_CASE("a type in a function has a name without the function") {
  struct Local {};
  CHECK(type_name<Local>() == "Local");
}
