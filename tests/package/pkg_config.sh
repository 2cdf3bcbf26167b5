# An installed tree is used by pkg-config and a compiler alone.
source "$(dirname "$0")/support.sh"

for kind in static shared; do
  export PKG_CONFIG_PATH="$work/$kind prefix/lib/pkgconfig"
  program=$work/pkg_config_$kind
  [[ $(pkg-config --modversion bulkhead) == 0.1.* ]] || fail 'pkg-config knows another version'
  # By eval, as the flags quote the spaces in the prefix.
  eval "quietly '$3' -std=c++20 '$consumer/consumer.cpp' -o '$program' \
    $(pkg-config --cflags --libs bulkhead) '-Wl,-rpath,$work/$kind prefix/lib'"
  run_consumer "$program"
  expect_linked "$kind" "$program"
  eval "expect_status 64 $(pkg-config --variable=worker bulkhead)"
done
