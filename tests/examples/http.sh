# Uploads come back smaller, or with why not; who hangs up is not worked for; many are served at once.
# http.sh HTTP MAKE_BROKEN SAMPLE_IMAGES
source "$(dirname "$0")/support.sh"
http=$1 make_broken=$2 sample_images=$3
make_work_folder
good=$work/good broken=$work/broken
"$sample_images" "$good"
"$make_broken" "$good" "$broken"

"$http" 0 1 >"$work/log" 2>"$work/errors" &
server=$!
trap 'kill -KILL $server 2>/dev/null || true; rm -rf "$work"' EXIT
listens() { port=$(sed -n 's|^listening on http://127.0.0.1:||p' "$work/log") && [[ -n $port ]]; }
wait_until 'the server listens' listens

# Each connection is a descriptor of this shell.
connect() { exec {connection}<>"/dev/tcp/127.0.0.1/$port"; }
post() { # FD FILE
  printf 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %s\r\n\r\n' \
    "$(stat -c %s "$2")" >&"$1"
  cat "$2" >&"$1"
}
answer() { # FD: into $status, and its body into $work/body
  cat <&"$1" >"$work/answer"
  status=$(head -n 1 "$work/answer" | cut -d ' ' -f 2)
  sed '1,/^\r$/d' "$work/answer" >"$work/body"
}
upload() { # FILE
  connect
  post "$connection" "$1"
  answer "$connection"
  exec {connection}>&-
}
stat_is() { # NAME VALUE
  connect
  printf 'GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&"$connection"
  answer "$connection"
  exec {connection}>&-
  grep -qx "$1 $2" "$work/body"
}
is_jpeg() { [[ $(head -c 2 "$work/body" | od -An -tx1) == ' ff d8' ]]; }

for image in photo.jpg alpha.png deeper/LARGE.JPEG deeper/interlaced.png; do
  upload "$good/$image"
  [[ $status == 200 ]] && is_jpeg || fail "$image: $status $(head -c 300 "$work/body")"
done

fails_by() { # FILE WORDS
  upload "$broken/$1"
  [[ $status == 422 ]] || fail "$1: $status"
  grep -qF "$2" "$work/body" || fail "$1 is not said to have failed by '$2': $(cat "$work/body")"
}
fails_by empty.png 'the upload is empty'
fails_by text.jpg 'exited with code 1'
fails_by text.jpg 'Not a JPEG file: starts with 0x54 0x68'
fails_by huge.png 'died of SIGABRT'

# The only worker stands still, so that the upload is under way until its client has gone.
child_of() { awk -v parent="$1" '$4 == parent { print $1 }' /proc/[0-9]*/stat 2>/dev/null || true; }
worker_is_there() { worker=$(child_of "$(child_of $server)") && [[ -n $worker ]]; }
wait_until 'there is a worker' worker_is_there
kill -STOP "$worker"
connect
patient=$connection
post "$patient" "$good/photo.jpg"
wait_until 'it is under way' stat_is 'under way' 1
exec {patient}>&-
wait_until 'it is given up' stat_is abandoned 1
wait_until 'nothing is under way' stat_is 'under way' 0
kill -CONT "$worker"
upload "$good/photo.jpg"
[[ $status == 200 ]] && is_jpeg || fail "after that: $status"

# All are connected before the first says anything.
connections=()
for ((i = 0; i < 200; ++i)); do
  connect
  connections+=("$connection")
done
images=("$good/photo.jpg" "$good/gray.png" "$broken/text.jpg" "$good/tall.jpg" "$good/rgb.png")
for i in "${!connections[@]}"; do post "${connections[i]}" "${images[i % 5]}"; done
for i in "${!connections[@]}"; do
  answer "${connections[i]}"
  expected=200
  [[ ${images[i % 5]} != *text.jpg ]] || expected=422
  [[ $status == "$expected" ]] || fail "client $i: $status $(head -c 300 "$work/body")"
  exec {connections[i]}>&-
done

kill -INT $server
wait $server || fail "it ended with $?: $(cat "$work/errors")"
grep -q '^0 uploads were answered meanwhile, 0 given up$' "$work/log" || fail "$(cat "$work/log")"
nothing_left_behind "$http"
