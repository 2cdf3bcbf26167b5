#!/usr/bin/env bash
# Each of these lines, alone in a tree, must be found by includes.sh; those that obey must not.
set -euo pipefail
check=$(dirname "$(realpath "$0")")/includes.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

expect() { # accepted|refused FILE INCLUDE
  rm -rf "${tree:?}"/*
  mkdir -p "$tree/include/bulkhead" "$tree/src/platform"
  echo '#include <string>' >"$tree/include/bulkhead/error.hpp"
  touch "$tree/src/platform/fd.hpp"
  mkdir -p "$tree/$(dirname "$2")"
  printf '// a comment\n#include %s  // why\n' "$3" >"$tree/$2"
  local status=0 result=accepted
  "$check" "$tree" >"$tree/output" || status=$?
  if ((status != 0)); then result=refused; fi
  if [[ $result != "$1" ]] || { [[ $1 == refused ]] && ! grep -qF "$2:2:" "$tree/output"; }; then
    echo "$2 with #include $3 is not $1, or not named"
    failed=1
  fi
}

expect accepted src/platform/fd.cpp '<unistd.h>'
expect accepted src/platform/fd.cpp '<linux/sched.h>'
expect accepted src/reactor/reactor.hpp '<boost/asio/post.hpp>'
expect accepted src/ipc/segment.cpp '<boost/interprocess/mapped_region.hpp>'
expect accepted src/process/tree.cpp '"platform/fd.hpp"'
expect accepted src/rpc/call.cpp '"ipc/link.hpp"'
expect accepted src/rpc/call.cpp '"rpc/wire.hpp"'
expect accepted src/worker/serve.cpp '"process/tree.hpp"'
expect accepted src/pool/crew.cpp '"bulkhead/detail/call.hpp"'
expect accepted src/pool/crew.hpp '<sys/resource.h>'
expect accepted src/worker/text.cpp '<cxxabi.h>'
expect accepted src/worker/launch.cpp '<spdlog/logger.h>'
expect accepted include/bulkhead/log.hpp '<spdlog/fwd.h>'
expect accepted include/bulkhead/pool.hpp '"bulkhead/error.hpp"'
expect accepted include/bulkhead/pool.hpp '<sys/types.h>'
expect accepted include/bulkhead/detail/codec.hpp '<cereal/cereal.hpp>'

expect refused src/platform/fd.cpp '"reactor/reactor.hpp"'
expect refused src/reactor/reactor.cpp '"process/tree.hpp"'
expect refused src/process/tree.cpp '"ipc/link.hpp"'
expect refused src/ipc/link.cpp '"process/tree.hpp"'
expect refused src/ipc/link.cpp '"rpc/wire.hpp"'
expect refused src/rpc/call.cpp '"process/tree.hpp"'
expect refused src/rpc/call.cpp '"worker/launch.hpp"'
expect refused src/worker/serve.cpp '"pool/crew.hpp"'
expect refused src/rpc/call.cpp '"../worker/launch.hpp"'
expect refused src/rpc/call.cpp '"wire.hpp"'
expect refused include/bulkhead/pool.hpp '"pool/crew.hpp"'
expect refused include/bulkhead/detail/call.hpp '"rpc/wire.hpp"'
expect refused include/bulkhead/pool.hpp '<boost/asio/any_io_executor.hpp>'
expect refused include/bulkhead/pool.hpp '<cereal/cereal.hpp>'
expect refused include/bulkhead/pool.hpp '<unistd.h>'
expect refused src/rpc/call.cpp '<boost/interprocess/mapped_region.hpp>'
expect refused src/rpc/call.cpp '<cereal/types/string.hpp>'
expect refused src/process/tree.cpp '<unistd.h>'
expect refused src/process/tree.cpp '<sys/wait.h>'
expect refused src/pool/crew.cpp '"signal.h"'
expect refused src/pool/crew.cpp '<linux/sched.h>'
expect refused src/pool/crew.cpp 'ANY_HEADER'

mkdir -p "$tree/src/misc"
if [[ $("$check" "$tree" || true) != *src/misc* ]]; then
  echo 'a folder that is no layer is not found'
  failed=1
fi
exit "$failed"
