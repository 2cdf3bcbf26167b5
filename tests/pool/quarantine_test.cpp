// Which keys are refused, and for how long.
#include "pool/quarantine.hpp"

#include <catch2/catch.hpp>

using namespace bulkhead;
using pool::Keys;
using pool::Quarantine;
using namespace std::chrono_literals;

namespace {

const Quarantine::Time start{1h};
const Error why(errc::request_quarantined, "it is refused");

}  // namespace

TEST_CASE("A key that took too many workers down is refused for a while, and then is as new") {
  Quarantine quarantine(2);
  Keys keys(1);
  const auto key = keys.find("a"), other = keys.find("b");
  CHECK_FALSE(quarantine.charge(*key));
  CHECK_FALSE(quarantine.objection(*key, start));
  CHECK(quarantine.charge(*key));
  quarantine.put(key, why, start);
  CHECK(quarantine.objection(*key, start + Quarantine::lasts - 1ns)->code() ==
        errc::request_quarantined);
  CHECK_FALSE(quarantine.charge(*key));  // it is here already
  CHECK_FALSE(quarantine.objection(*other, start));
  CHECK_FALSE(quarantine.objection(*key, start + Quarantine::lasts));
  CHECK(quarantine.size() == 0);
  CHECK_FALSE(quarantine.charge(*key));
  CHECK(quarantine.charge(*key));
}

TEST_CASE("A key that is cleared may take down as many workers again, and be refused anew") {
  Quarantine quarantine(1);
  Keys keys(1);
  const auto key = keys.find("a");
  CHECK(quarantine.charge(*key));
  quarantine.put(key, why, start);
  Quarantine::clear(*key);
  CHECK_FALSE(quarantine.objection(*key, start));
  CHECK(quarantine.charge(*key));
  quarantine.put(key, why, start + 10s);
  CHECK(quarantine.objection(*key, start + Quarantine::lasts));
  CHECK_FALSE(quarantine.objection(*key, start + 10s + Quarantine::lasts));
}

TEST_CASE("Without a limit no key is refused") {
  const Quarantine quarantine(0);
  detail::Key key;
  for (int i = 0; i < 100; ++i) CHECK_FALSE(quarantine.charge(key));
}

TEST_CASE("When too many keys are refused the first goes free") {
  Quarantine quarantine(1);
  Keys keys(1);
  for (std::size_t i = 0; i <= Quarantine::most; ++i)
    quarantine.put(keys.find(std::to_string(i)), why, start);
  CHECK(quarantine.size() == Quarantine::most);
  CHECK_FALSE(quarantine.objection(*keys.find("0"), start));
  CHECK(quarantine.objection(*keys.find("1"), start));
}
