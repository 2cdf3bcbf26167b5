# Installs the library, static and shared, and makes its Debian packages, for other tests to use.
# One build folder does for all: the objects are the same.
source "$(dirname "$0")/support.sh"
rm -rf "$work"/{static,shared}{' prefix',' moved'} "$work"/{debs,stage}
library=(-D CMAKE_BUILD_TYPE=Release -D BULKHEAD_TESTS=OFF -D BULKHEAD_EXAMPLES=OFF
  -D BULKHEAD_BENCH=OFF)

build_library() { configure_and_build "$source" build "${library[@]}" "$@"; } # [-D ...]

for kind in static shared; do
  shared=OFF
  if [[ $kind == shared ]]; then shared=ON; fi
  build_library -D BUILD_SHARED_LIBS=$shared -D CMAKE_INSTALL_PREFIX="$work/stage"
  quietly cmake --install "$work/build"
  # Where it is used is not where it was installed; and people do have spaces in their paths.
  mv "$work/stage" "$work/$kind prefix"
done

build_library -D BUILD_SHARED_LIBS=ON -D CMAKE_INSTALL_PREFIX=/usr
quietly cpack -G DEB --config "$work/build/CPackConfig.cmake" -B "$work/debs"
