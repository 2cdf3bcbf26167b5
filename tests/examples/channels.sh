# A handler asks its app for what it needs, and does not get everything.
# channels.sh CHANNELS
source "$(dirname "$0")/support.sh"
make_work_folder

expect_status 0 "$1"
sed 's/worker [0-9]*/worker N/' "$work/out" | diff - <(cat <<'END'
Dear reader,
this line came through a channel.
Yours, B.
expander worker N: the handler of Expand threw std::runtime_error: there is no secrets
END
) || fail 'it prints something else'
nothing_left_behind "$1"
