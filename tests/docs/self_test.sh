#!/usr/bin/env bash
# Pages that are wrong fail code.sh, and what it says about each tells where.
# self_test.sh SOURCE_FOLDER LIBRARY COMPILER
set -euo pipefail
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/bare.md" <<'PAGE'
Text.
```cpp
int x;
```
PAGE
cat >"$work/broken.md" <<'PAGE'
<!-- cpp: main -->
```cpp
pool.stats();
pool.no_such_function();
```
PAGE
cat >"$work/boast.md" <<'PAGE'
<!-- cpp: program -->
```cpp
#include <cstdio>
int main() { std::puts("one"); }
```
It prints
```text
two
```
PAGE
status=0
"$here/code.sh" "$@" "$work"/{bare,broken,boast}.md >"$work/said" 2>&1 || status=$?
for complaint in 'bare.md:2: a block of C++ without a context' 'broken.md:4' \
  'boast.md: its program prints something else'; do
  grep -qF -- "$complaint" "$work/said" && continue
  echo "FAILED: it does not say '$complaint', but:" && cat "$work/said"
  status=0
done
((status != 0))
