#!/usr/bin/env bash
# Of these include lines, includes.sh must accept the first lot, and name each of the second.
set -euo pipefail
check=$(dirname "$(realpath "$0")")/includes.sh
trees=$(mktemp -d)
trap 'rm -rf "$trees"' EXIT

obey='
src/platform/fd.cpp <unistd.h>
src/platform/fd.cpp <linux/sched.h>
src/reactor/reactor.hpp <boost/asio/post.hpp>
src/ipc/segment.cpp <boost/interprocess/mapped_region.hpp>
src/process/tree.cpp "platform/fd.hpp"
src/rpc/call.cpp "ipc/link.hpp"
src/rpc/call.cpp "rpc/wire.hpp"
src/worker/serve.cpp "process/tree.hpp"
include/bulkhead/pool.hpp <boost/asio/any_io_executor.hpp>
src/pool/crew.cpp "bulkhead/detail/call.hpp"
src/pool/crew.hpp <sys/resource.h>
src/worker/text.cpp <cxxabi.h>
src/worker/launch.cpp <spdlog/logger.h>
include/bulkhead/log.hpp <spdlog/fwd.h>
include/bulkhead/pool.hpp "bulkhead/error.hpp"
include/bulkhead/pool.hpp <sys/types.h>
include/bulkhead/detail/codec.hpp <cereal/cereal.hpp>
'
break_a_rule='
src/platform/fd.cpp "reactor/reactor.hpp"
src/reactor/reactor.cpp "process/tree.hpp"
src/process/tree.cpp "ipc/link.hpp"
src/ipc/link.cpp "process/tree.hpp"
src/ipc/link.cpp "rpc/wire.hpp"
src/rpc/call.cpp "process/tree.hpp"
src/rpc/call.cpp "worker/launch.hpp"
src/worker/serve.cpp "pool/crew.hpp"
src/rpc/call.cpp "../worker/launch.hpp"
src/rpc/call.cpp "wire.hpp"
include/bulkhead/pool.hpp "pool/crew.hpp"
include/bulkhead/detail/call.hpp "rpc/wire.hpp"
include/bulkhead/pool.hpp <boost/asio.hpp>
include/bulkhead/pool.hpp <cereal/cereal.hpp>
include/bulkhead/pool.hpp <unistd.h>
src/rpc/call.cpp <boost/interprocess/mapped_region.hpp>
src/rpc/call.cpp <cereal/types/string.hpp>
src/process/tree.cpp <unistd.h>
src/process/tree.cpp <sys/wait.h>
src/pool/crew.cpp "signal.h"
src/pool/crew.cpp <linux/sched.h>
src/pool/crew.cpp ANY_HEADER
'

plant() { # TREE LINES: each line is a file and what it includes
  local file header
  mkdir -p "$trees/$1/include" "$trees/$1/src"
  while read -r file header; do
    [[ -n $file ]] || continue
    mkdir -p "$trees/$1/$(dirname "$file")"
    echo "  # include $header  // why" >>"$trees/$1/$file"
  done <<<"$2"
}
failed=0
wrong() {
  echo "$1"
  failed=1
}

plant good "$obey"
output=$("$check" "$trees/good") || wrong "what obeys is refused: $output"

plant bad "$break_a_rule"
mkdir "$trees/bad/src/misc"
output=$("$check" "$trees/bad") && wrong 'a tree full of mistakes is accepted'
while read -r file header; do
  [[ -n $file ]] || continue
  line=$(grep -nF "include $header " "$trees/bad/$file" | cut -d: -f1)
  [[ $header == [\<\"]* ]] || header=''
  grep -qxF "$file:$line:$header" <<<"$output" || wrong "$file may include $header"
done <<<"$break_a_rule"
grep -qx 'src/misc' <<<"$output" || wrong 'a folder may be no layer'

exit "$failed"
