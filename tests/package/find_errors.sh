# find_package says what is wrong with what was asked for.
source "$(dirname "$0")/support.sh"
prefix="$work/static prefix"

find_it() { # ARGUMENTS_OF_FIND_PACKAGE
  rm -f "$work/consumer-errors/CMakeCache.txt"
  cmake -S "$consumer" -B "$work/consumer-errors" "${toolchain[@]}" -D HOW=package \
    -D FIND="$1" -D CMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1
}
found() { find_it "$1" || fail "find_package(bulkhead ${1//;/ }) fails: $(cat "$work/log")"; }
refused() { # ARGUMENTS_OF_FIND_PACKAGE WORDS
  ! find_it "$1" || fail "find_package(bulkhead ${1//;/ }) succeeds"
  tr -s ' \n' ' ' <"$work/log" | grep -F "$2" >/dev/null || fail "it does not say '$2': $(cat "$work/log")"
}

found 'REQUIRED'
found '0.1;REQUIRED;COMPONENTS;library;worker'
found '0.1.0;EXACT;REQUIRED;OPTIONAL_COMPONENTS;gui'
refused '0.2;REQUIRED' 'compatible with requested version "0.2"'
refused '0.0;REQUIRED' 'compatible with requested version "0.0"'
refused '1.0;REQUIRED' 'compatible with requested version "1.0"'
refused 'REQUIRED;COMPONENTS;library;gui' \
  'it has no component gui: its components are library and worker'

mv "$prefix/bin/bulkhead-worker" "$work/away"
trap 'mv "$work/away" "$prefix/bin/bulkhead-worker"' EXIT
found 'REQUIRED'
found 'REQUIRED;COMPONENTS;library'
refused 'REQUIRED;COMPONENTS;worker' "its component worker is not installed: there is no $prefix/bin"
