#include "support/leak_check.hpp"

#include <catch2/catch.hpp>

namespace bulkhead::test {

LeakCheck::~LeakCheck() {
  if (!checked_) check();
}

void LeakCheck::await_processes() const {
  if (!leftovers_.await_processes()) FAIL_CHECK("processes are left");
}

void LeakCheck::check() {
  checked_ = true;
  const std::string left = leftovers_.await_none();
  if (!left.empty()) FAIL_CHECK("left behind:" << left);
}

}  // namespace bulkhead::test
