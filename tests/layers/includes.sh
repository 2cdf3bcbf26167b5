#!/usr/bin/env bash
# Proves from the include lines of a tree that each layer reaches down only, and that each part of
# the outside world is known in one place. Prints every line that breaks a rule.
#   usage: includes.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$(realpath "$0")")/../..}"

# What each layer may include besides itself and the public headers.
declare -A below=(
  [platform]=''
  [reactor]='platform'
  [process]='platform reactor'
  [ipc]='platform reactor'
  [rpc]='platform reactor ipc'
  [worker]='platform reactor ipc rpc process'
  [pool]='platform reactor ipc rpc process worker'
)

# FILE:LINE:WHAT for each include, WHAT with its brackets or quotes.
includes=$(grep -rnE --include='*.[ch]pp' '^[[:space:]]*#[[:space:]]*include' include src |
  sed -E 's/:[[:space:]]*#[[:space:]]*include(_next)?[[:space:]]*([<"][^>"]*[>"])?.*/:\2/')
[[ -n $includes ]] || { echo "no includes below $PWD" >&2; exit 2; }

broken=0
complain() { # RULE LINES
  printf '%s:\n%s\n' "$1" "$2"
  broken=1
}
rule() { # RULE LINES_IT_IS_ABOUT LINES_THAT_OBEY
  local lines
  lines=$(grep -E "$2" <<<"$includes" | grep -vE "$3" || true)
  [[ -z $lines ]] || complain "$1" "$lines"
}

for folder in src/*; do
  [[ -n ${below[${folder#src/}]+known} ]] || complain 'belongs to no layer' "$folder"
done
for layer in "${!below[@]}"; do
  allowed="bulkhead $layer${below[$layer]:+ ${below[$layer]}}"
  rule "$layer may include ${below[$layer]:-no other layer} and public headers" \
    "^src/$layer/[^:]*:[0-9]+:\"" ":\"(${allowed// /|})/"
done
rule 'public headers include public headers only' '^include/[^:]*:[0-9]+:"' ':"bulkhead/'
rule 'public headers know the small headers of Asio, and nothing else of Boost' '[<"]boost/' \
  '^src/|:<boost/asio/'
rule 'Boost.Interprocess is for ipc alone' '[<"]boost/interprocess' '^src/ipc/'
rule 'cereal is for the codec alone' '[<"]cereal/' '^include/bulkhead/detail/'
# Names that end in .h are the system's, but for those of the compiler and of spdlog.
rule 'system headers are for platform alone' '\.h[>"]$' \
  '^src/platform/|:<(sys/types|sys/resource|cxxabi|spdlog/.*)\.h>$'
rule 'names no file that this test can read' ':$' '^$'

exit "$broken"
