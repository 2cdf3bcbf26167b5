# An installed tree is found by CMake, wherever it was moved, and its programs work, modules too.
source "$(dirname "$0")/support.sh"

for kind in static shared; do
  prefix="$work/$kind prefix"
  build_consumer "consumer-$kind" -D HOW=package -D FIND='0.1;REQUIRED' -D CMAKE_PREFIX_PATH="$prefix"
  program=$work/consumer-$kind/consumer
  run_consumer "$program"
  module=$work/consumer-$kind/numbers.so
  run_served_by "$prefix/bin/bulkhead-worker" "$program" "$module"
  expect_linked "$kind" "$program"
  expect_no_leaks "consumer-$kind"
  # Run by hand, the stock program refuses: so it is there, and its loader finds all that it needs.
  worker=$(cat "$work/consumer-$kind/worker_program")
  expect_status 64 "$worker"
  if readelf -d "$worker" | grep -E 'R(UN)?PATH|NEEDED.*bulkhead'; then
    fail 'bulkhead-worker needs the library, which only modules do'
  fi

  # What is moved after programs were built with it is where the library is, if that is shared.
  # The library does not fall back on the folder that it was compiled in.
  moved="$work/$kind moved"
  mv "$prefix" "$moved"
  trap 'mv "$moved" "$prefix"' EXIT
  if [[ $kind == shared ]]; then
    export LD_LIBRARY_PATH=$moved/lib
    run_served_by "$moved/bin/bulkhead-worker" "$program" "$module"
    unset LD_LIBRARY_PATH
  else
    [[ -x $work/build/worker_main/bulkhead-worker ]] || fail 'there is no other bulkhead-worker to be taken by mistake'
    expect_status 1 "$program" "$module"
    grep -F "bulkhead-worker, which serves modules, is not there (looked at $prefix/bin/bulkhead-worker," \
      "$work/err" >/dev/null || fail "it does not say where the program should be: $(cat "$work/err")"
  fi
  mv "$moved" "$prefix"
  trap - EXIT
done
