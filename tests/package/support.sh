# What the tests of the package share. All work in one folder, which `install.sh` fills first:
#
#   $work/build              of the library, not of its tests; kept from run to run
#   $work/static prefix      an installed tree, moved from where it was installed; also "shared prefix"
#   $work/debs               the packages
#   $work/consumer-*         builds of tests/package/consumer
#
# Each is called as NAME.sh WORK SOURCE COMPILER LAUNCHER.
source "$(dirname "$0")/../examples/support.sh"
work=$1 source=$2
consumer=$source/tests/package/consumer
# No precompiled headers: a compiler cache does not know them.
toolchain=(-G Ninja -D "CMAKE_CXX_COMPILER=$3" -D "CMAKE_CXX_COMPILER_LAUNCHER=${4:-}"
  -D CMAKE_DISABLE_PRECOMPILE_HEADERS=ON)
unset CXXFLAGS CMAKE_PREFIX_PATH PKG_CONFIG_PATH BULKHEAD_WORKER_PROGRAM

quietly() { # COMMAND...: what it prints matters only if it fails
  "$@" >"$work/log" 2>&1 || fail "$* ended with $?: $(cat "$work/log")"
}

# Objects stay from run to run; what was chosen before does not.
configure_and_build() { # SOURCE BUILD [-D ...]
  local from=$1 build=$work/$2
  shift 2
  rm -f "$build/CMakeCache.txt"
  quietly cmake -S "$from" -B "$build" "${toolchain[@]}" "$@"
  quietly cmake --build "$build"
}

build_consumer() { configure_and_build "$consumer" "$@"; } # BUILD [-D ...]

run_served_by() { # PROGRAM_OF_THE_WORKERS PROGRAM [ARGUMENTS]
  local served_by
  served_by=$(realpath "$1")
  shift
  expect_status 0 "$@"
  diff "$work/out" - <<<$'twice 21 is 42\na crash: 1\nserved by '"$served_by" || fail "$* says something else"
  nothing_left_behind "$1" "$served_by"
}
run_consumer() { run_served_by "$1" "$1"; } # PROGRAM

# The project is told neither warnings nor precompiled headers nor what the library keeps private.
expect_no_leaks() { # BUILD
  local command
  command=$(grep -m 1 '"command".*consumer\.cpp' "$work/$1/compile_commands.json")
  if grep -oE -- '-W[a-z]+|-include|-DB(OOST|ULKHEAD_(F|B|I))[A-Z_]*' <<<"$command"; then
    fail "what builds the library leaks into its user: $command"
  fi
}

expect_linked() { # static|shared PROGRAM
  local found=static
  if readelf -d "$2" | grep 'NEEDED.*libbulkhead\.so\.0\.1\]' >/dev/null; then found=shared; fi
  [[ $found == "$1" ]] || fail "$2 is linked to the $found library"
}
