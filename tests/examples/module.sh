# An application calls plugins in workers; what is wrong with one is told, and the others go on.
# module.sh APPLICATION PLUGIN WORKER
source "$(dirname "$0")/support.sh"
application=$1 plugin=$2 worker=$3
make_work_folder

expect_status 0 "$application" hello "$plugin" "$plugin"
diff - "$work/out" <<<$'HELLO!\nHELLO!' || fail 'wrong answers'

expect_status 1 "$application" hello "$work/none.so" "$application" "$plugin"
[[ $(wc -l <"$work/out") == 3 ]] || fail "not one line for each plugin: $(cat "$work/out")"
sed -n 1p "$work/out" | grep -qF "there is no module $work/none.so" || fail 'a missing plugin is not told'
sed -n 2p "$work/out" | grep -qF 'cannot load the module' || fail 'a file that is no plugin is not told'
sed -n 3p "$work/out" | grep -qxF 'HELLO!' || fail 'the good plugin was not called'

expect_status 1 "$application" '' "$plugin"
grep -qF 'threw std::invalid_argument: there is nothing to shout' "$work/out" || fail 'an exception is not told'

expect_status 64 "$application" hello
nothing_left_behind "$application" "$worker"
