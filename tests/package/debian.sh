# The Debian packages hold what they should, depend on what they need, and can be built with.
source "$(dirname "$0")/support.sh"
architecture=$(dpkg --print-architecture) triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)

deb() { echo "$work/debs/$1_0.1.0-1_$architecture.deb"; }
field() { dpkg-deb -f "$(deb "$1")" "$2"; }
documents() { printf "/usr/share/doc/$1/%s\n" changelog.Debian.gz changelog.gz copyright; }

holds() { # PACKAGE, and what else than documents it holds on standard input
  diff <({ documents "$1"; cat; } | sort) \
    <(dpkg-deb -c "$(deb "$1")" | grep -v '^d' | sed -E 's/^([^ ]+ +){5}\.//; s/ -> .*//' | sort) ||
    fail "$1 holds other files than it should"
}
holds libbulkhead0.1 <<END_OF_LIST
/usr/lib/$triplet/libbulkhead.so.0.1
/usr/lib/$triplet/libbulkhead.so.0.1.0
END_OF_LIST
holds bulkhead-worker <<<'/usr/bin/bulkhead-worker'
holds libbulkhead-dev < <(
  find "$source/include" -name '*.hpp' -printf '/usr/include/%P\n'
  printf "/usr/lib/$triplet/%s\n" libbulkhead.so pkgconfig/bulkhead.pc \
    cmake/bulkhead/bulkhead-{config,config-version,targets,targets-release}.cmake)

depends() { # PACKAGE ON...
  local package=$1 on
  shift
  for on in "$@"; do
    grep -qE "(^|, )$on( \(.*\))?(,|$)" <<<"$(field "$package" Depends)" ||
      fail "$package does not depend on $on, only on $(field "$package" Depends)"
  done
}
depends libbulkhead0.1 libc6 libspdlog1.10-fmt9 'libstdc\+\+6' libdw1
depends libbulkhead-dev libcereal-dev libspdlog-dev libbulkhead0.1
depends bulkhead-worker libc6 'libstdc\+\+6'
[[ $(field bulkhead-worker Depends) != *bulkhead* ]] || fail 'modules bring the library, not what loads them'
[[ $(field libbulkhead-dev Depends) == *libboost1.81-dev* ]] || fail 'its headers name executors of Asio'
[[ $(field libbulkhead0.1 Depends) != *boost* ]] || fail 'it needs headers of Boost only'
dpkg-deb --info "$(deb libbulkhead0.1)" shlibs | grep -x 'libbulkhead 0.1 libbulkhead0.1 .*' >/dev/null ||
  fail 'programs that are built with it would not depend on it'

root=$work/root
rm -rf "$root"
for package in libbulkhead0.1 bulkhead-worker libbulkhead-dev; do
  [[ $(field $package Version) == 0.1.0-1 && -n $(field $package Maintainer) ]]
  field $package Description | tr -s ' \n' ' ' | grep 'This package holds the' >/dev/null || fail "$package is not described"
  dpkg-deb -x "$(deb $package)" "$root"
  grep -q 'MIT License' "$root/usr/share/doc/$package/copyright" || fail "$package has no licence"
  zcat "$root/usr/share/doc/$package/changelog.Debian.gz" | dpkg-parsechangelog -l- -S Version |
    grep -x 0.1.0-1 >/dev/null || fail "$package has no change log"
done
if grep -rlF "$work" "$root"; then fail 'the packages name the folder that they were built in'; fi

build_consumer consumer-debian -D HOW=package -D FIND='0.1;REQUIRED;COMPONENTS;library;worker' \
  -D CMAKE_PREFIX_PATH="$root/usr"
run_consumer "$work/consumer-debian/consumer"
run_served_by "$root/usr/bin/bulkhead-worker" "$work/consumer-debian/consumer" "$work/consumer-debian/numbers.so"
