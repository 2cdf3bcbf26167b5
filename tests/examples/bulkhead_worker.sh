# The stock worker program, started by hand, says what it is or what is wrong.
# bulkhead_worker.sh PROGRAM MODULE
source "$(dirname "$0")/support.sh"
program=$1 module=$2
make_work_folder

says() { grep -qF -- "$2" "$work/$1" || fail "it does not say '$2' but: $(cat "$work/$1")"; }

expect_status 0 "$program" --help
says out 'usage: bulkhead-worker MODULE'
expect_status 0 "$program" --version
grep -qE '^bulkhead-worker [0-9]+\.[0-9]+\.[0-9]+$' "$work/out" || fail 'no version'
expect_status 64 "$program"
says err 'usage: bulkhead-worker MODULE'
expect_status 64 "$program" --serve
says err 'unknown option --serve'
expect_status 65 "$program" "$work/none.so"
says err "there is no module $work/none.so"
expect_status 65 "$program" "$program"
says err 'cannot load the module'
expect_status 64 "$program" "$module"
says err 'worker for the service "module"'
says err 'Launch::module'
