# Coroutines call workers, and give one call up.
# async.sh ASYNC
source "$(dirname "$0")/support.sh"
make_work_folder

expect_status 0 "$1"
diff - "$work/out" <<<$'9592 primes below 100000\nbelow 2000000000 there are too many to wait for' ||
  fail 'it prints something else'
nothing_left_behind "$1"
