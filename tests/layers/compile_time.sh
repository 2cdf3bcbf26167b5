#!/usr/bin/env bash
# Prints how many seconds a user waits for a program of one request, one handler and one call to
# compile, without optimisation: the best of five. CXX names the compiler.
set -euo pipefail
root=$(realpath "$(dirname "$(realpath "$0")")/../..")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/user.cpp" <<'END'
#include <bulkhead/bulkhead.hpp>

struct Add {
  using Response = int;
  int a = 0, b = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(a, b);
  }
};
struct Calculator : bulkhead::Service<"calculator", Add> {};

int main() {
  bulkhead::serve_if_worker<Calculator>([](const Add& add) { return add.a + add.b; });
  bulkhead::Pool<Calculator> pool;
  return pool.run(Add{1, 2}).get();
}
END

TIMEFORMAT=%R
for _ in 1 2 3 4 5; do
  time "${CXX:-c++}" -std=c++20 -O0 -I "$root/include" -c "$folder/user.cpp" -o "$folder/user.o"
done 2>&1 | sort -n | head -n 1
