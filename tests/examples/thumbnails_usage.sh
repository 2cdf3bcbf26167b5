# Wrong arguments end with 64 and a text that names what is wrong.
# thumbnails_usage.sh THUMBNAILS MAKE_BROKEN
source "$(dirname "$0")/support.sh"
thumbnails=$1 make_broken=$2
make_work_folder

refuses() {
  local text=$1
  shift
  expect_status 64 "$@"
  grep -qF -- "$text" "$work/err" || fail "'$*' does not say '$text' but: $(cat "$work/err")"
  grep -qF usage: "$work/err" || fail "'$*' does not show its usage"
}

refuses 'no folder given' "$thumbnails"
refuses 'no such folder: /nowhere' "$thumbnails" /nowhere
refuses 'unknown option: --fast' "$thumbnails" --fast "$work"
refuses '--workers needs a value' "$thumbnails" "$work" --workers
refuses "not '0'" "$thumbnails" --workers 0 "$work"
refuses "not 'many'" "$thumbnails" --max-side many "$work"
refuses 'GOOD_FOLDER' "$make_broken" "$work"

# A folder without images is no error.
expect_status 0 "$thumbnails" --out "$work/sheet" "$work"
grep -q '^0 images: 0 decoded, 0 failed, 0 missing$' "$work/out" || fail 'no summary of nothing'
