# An application calls functions in another program, which lies beside it.
# other_executable.sh APPLICATION WORKER
source "$(dirname "$0")/support.sh"
application=$1 worker=$2
make_work_folder

cd "$work"
expect_status 0 "$application"
diff - "$work/out" <<<$'Good morning, Ada!\nGood morning, Grace!' || fail 'wrong greetings'
nothing_left_behind "$application" "$worker"

# Started by hand, the worker says what it is.
expect_status 64 "$worker"
cat "$work/out" "$work/err" | grep -q greeter || fail 'the worker does not name its service'
