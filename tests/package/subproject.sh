# The library is part of another project: by add_subdirectory or FetchContent, static or shared.
source "$(dirname "$0")/support.sh"

# A repository of the sources as they are now, committed or not.
repository=$work/repository
snapshot() { git --git-dir="$repository" --work-tree="$source" "$@"; }
[[ -d $repository ]] || quietly git init --bare "$repository"
quietly snapshot add --all
quietly snapshot -c user.name=test -c user.email=test@localhost commit --allow-empty -m snapshot
commit=$(snapshot rev-parse HEAD)

# One build folder does for all ways, so that only the first one compiles the library.
build=consumer-subproject
build_and_run() { # static|shared [-D ...]
  local kind=$1
  shift
  build_consumer $build -D BUILD_SHARED_LIBS="$([[ $kind == static ]] && echo OFF || echo ON)" "$@"
  run_consumer "$work/$build/consumer"
  run_served_by "$(cat "$work/$build/worker_program")" "$work/$build/consumer" "$work/$build/numbers.so"
  expect_linked "$kind" "$work/$build/consumer"
  expect_no_leaks $build
  expect_status 64 "$(cat "$work/$build/worker_program")"
}

fetched=$work/$build/_deps/bulkhead-src
build_and_run static -D HOW=fetch_git -D SOURCE="$repository" -D COMMIT="$commit"
build_and_run static -D HOW=fetch_folder -D SOURCE="$fetched"
build_and_run static -D HOW=folder -D SOURCE="$fetched"
build_and_run shared -D HOW=folder -D SOURCE="$fetched"

# Installing the whole project installs nothing of the library that nobody asked for.
rm -rf "$work/nothing"
expect_status 0 cmake --install "$work/$build" --prefix "$work/nothing"
[[ ! -e $work/nothing ]] || fail "it installs itself: $(find "$work/nothing")"
