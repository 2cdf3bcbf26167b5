# What the tests of the examples share. Each is called with the programs that it needs.
set -euo pipefail

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# Makes $work: a folder of this test's own, gone at its end.
make_work_folder() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
}

# wait_until WHAT COMMAND...: the watchdog is generous, a machine may be busy.
wait_until() {
  local what=$1 i
  shift
  for ((i = 0; i < 600; ++i)); do
    if "$@"; then return 0; fi
    sleep 0.05
  done
  fail "in 30 s it did not come true that $what"
}

shared_memory_names() { find /dev/shm -maxdepth 1 -name 'bulkhead-*' | sort; }
no_new_shared_memory() { [[ -z $(comm -13 <(echo "$shm_before") <(shared_memory_names)) ]]; }
# A worker is a fork of the program, and so is what forks it.
no_process_of() { [[ -z $(find /proc/[0-9]*/exe -maxdepth 0 -lname "$1" 2>/dev/null) ]]; }

shm_before=$(shared_memory_names)
nothing_left_behind() {
  local program
  for program in "$@"; do
    wait_until "no process of $program is left" no_process_of "$(realpath "$program")"
  done
  wait_until 'no shared memory is left' no_new_shared_memory
}

# expect_status STATUS COMMAND...: its output goes to $work/out and $work/err.
expect_status() {
  local expected=$1 status=0
  shift
  "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  [[ $status == "$expected" ]] || fail "$* ended with $status, not $expected: $(cat "$work/err")"
}
