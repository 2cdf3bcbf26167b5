# Ctrl-C ends the run in good order: a contact sheet of what is done, and nothing left behind.
# thumbnails_interrupted.sh THUMBNAILS SAMPLE_IMAGES
source "$(dirname "$0")/support.sh"
thumbnails=$1 sample_images=$2
make_work_folder

"$sample_images" "$work/images"
for i in {1..400}; do ln -s ../images/deeper/LARGE.JPEG "$work/images/$i.jpg"; done
"$thumbnails" --workers 2 --max-side 2000 --out "$work/sheet" "$work/images" >"$work/out" 2>"$work/err" &
wait_until 'a thumbnail is there' test -s "$work/sheet/thumbnails/00001.jpg"
kill -INT $!
status=0
wait $! || status=$?
[[ $status == 130 ]] || fail "it ended with $status: $(cat "$work/err")"
grep -qE '^409 images: [0-9]+ decoded, 0 failed, [0-9]+ missing$' "$work/out" || fail 'no summary'
grep -q '</html>' "$work/sheet/index.html" || fail 'no contact sheet'
nothing_left_behind "$thumbnails"
