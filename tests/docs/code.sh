#!/usr/bin/env bash
# Each piece of C++ in the pages compiles, each whole program links, and prints what its page says.
# code.sh SOURCE_FOLDER LIBRARY COMPILER [PAGE...], with LIBDW=dw if the library needs that
set -euo pipefail
top=$1 library=$2 compiler=$3
shift 3
here=$(dirname "$(realpath "$0")")
[[ $# -gt 0 ]] || set -- "$top"/README.md "$top"/docs/*.md "$top"/docs/guide/*.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# The headers are read once for all: as a precompiled header that is found before them.
mkdir -p "$work/pch/bulkhead"
flags=(-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
echo '#include <bulkhead/bulkhead.hpp>' >"$work/all.hpp"
"$compiler" "${flags[@]}" -I"$top/include" -x c++-header "$work/all.hpp" \
  -o "$work/pch/bulkhead/bulkhead.hpp.gch"
compile() { "$compiler" "${flags[@]}" -I"$work/pch" -I"$top/include" -I"$here" "$@" || failed=1; }

# Process ids and times differ from run to run.
without_figures() { sed -E 's/worker [0-9]+/worker N/; s/[0-9]+ ms/N ms/'; }

for page in "$@"; do
  name=$(basename "$page" .md)
  awk -v work="$work" -v name="$name" -v page="$page" -f "$here/blocks.awk" "$page" || failed=1
  if [[ -f $work/$name.cpp ]]; then compile -Wno-shadow -fsyntax-only "$work/$name.cpp"; fi
  for program in "$work/$name".*.cpp; do
    [[ -f $program ]] || continue
    expected=${program%.cpp}.txt
    if [[ ! -f $expected ]]; then
      compile -fsyntax-only "$program"
      continue
    fi
    compile "$program" "$library" -lspdlog -lfmt ${LIBDW:+-l$LIBDW} -pthread -o "$work/program" || continue
    (timeout 60 "$work/program" 2>/dev/null || true) | without_figures |
      diff <(without_figures <"$expected") - || { echo "$page: its program prints something else"; failed=1; }
  done
done
exit "$failed"
