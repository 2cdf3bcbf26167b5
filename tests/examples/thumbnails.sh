# Every good image is delivered and every bad one named, whatever it does to its decoder.
# thumbnails.sh THUMBNAILS MAKE_BROKEN SAMPLE_IMAGES
source "$(dirname "$0")/support.sh"
thumbnails=$1 make_broken=$2 sample_images=$3
make_work_folder
good=$work/good broken=$work/broken sheet=$work/sheet

"$sample_images" "$good"
"$make_broken" "$good" "$broken"
"$make_broken" "$good" "$work/again"
diff -r "$broken" "$work/again" || fail 'the same images are not broken in the same way'

expect_status 0 "$thumbnails" --workers 2 --max-side 100 --out "$sheet" "$good" "$broken"
nothing_left_behind "$thumbnails"

page=$sheet/index.html
count() { grep -c -- "$1" "$page" || true; }
files=$(find "$good" "$broken" -type f | wc -l)
read -r decoded failed < <(
  sed -nE "s/^$files images: ([0-9]+) decoded, ([0-9]+) failed, 0 missing\$/\1 \2/p" "$work/out") ||
  fail "no summary of $files images: $(cat "$work/out")"
[[ $((decoded + failed)) == "$files" ]] || fail 'the summary does not add up'
[[ $(count '<figure>') == "$decoded" && $(count '<tr>') == "$failed" ]] ||
  fail 'the contact sheet does not show every image once'
[[ $(find "$sheet/thumbnails" -name '*.jpg' -size +0 | wc -l) == "$decoded" ]] ||
  fail 'a thumbnail is missing'

escaped() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }
every_one_is_in() { # ELEMENT, and the paths of images on standard input
  escaped | while read -r image; do
    grep "^<$1>" "$page" | grep -F "title=\"$image\"" >/dev/null || fail "$image is not in a $1"
  done
}
find "$(realpath "$good")" -type f | every_one_is_in figure
find "$(realpath "$broken")" -name 'truncated-*' | every_one_is_in tr

why() { # FILE REASON
  grep -F "/$1\"" "$page" | grep -qF "$2" || fail "$1 is not said to have failed by '$2'"
}
why empty.jpg 'exit(1): Empty input file'
why text.jpg 'exit(1): Not a JPEG file: starts with 0x54 0x68'
why empty.png 'SIGABRT: libpng error: Read Error'
why huge.png 'SIGABRT: libpng error'
grep -qE '[0-9]+  damaged: Premature end of JPEG file' "$work/out" || fail 'no truncated JPEG was noticed'
