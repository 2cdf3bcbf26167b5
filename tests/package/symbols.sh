# The shared library shows what the public headers mark with BULKHEAD_API: all of it, nothing else.
source "$(dirname "$0")/support.sh"
library="$work/shared prefix/lib/libbulkhead.so"

# A class or function for each mark, by its last name.
marked=$(grep -rhE '^[^#]*BULKHEAD_API' "$source/include" |
  sed -E 's/.*class BULKHEAD_API ([A-Za-z_]+).*/\1/; t; s/^[^(]* \*?&?([a-z_]+)\(.*/\1/' | sort -u)

# What the library defines outside of its layers, whose namespaces are named like their folders.
layers=$(cd "$source/src" && printf '%s|' *)
defined=$(nm -C "$work/static prefix/lib/libbulkhead.a" | grep -vE " bulkhead::(${layers%|})::" |
  sed -nE 's/.* T bulkhead::(detail::)?([A-Za-z_]+).*\(.*/\2/p' | sort -u)
unmarked=$(comm -23 <(echo "$defined") <(echo "$marked"))
[[ -z $unmarked ]] || fail "programs cannot link these, they need BULKHEAD_API: $unmarked"

# The same of each symbol: what follows its namespace, before parameters, arguments and members.
shown=$(nm -DC --defined-only "$library" | cut -d' ' -f3- |
  sed -E 's/^(vtable|typeinfo|typeinfo name) for //; s/\[abi:cxx11\]//')
strangers=$(grep -vE '^bulkhead::(detail::)?[A-Za-z_]+(<void>)?(::|\(|$)' <<<"$shown" || true)
[[ -z $strangers ]] || fail "not of the public interface: $strangers"
shown=$(sed -E 's/^bulkhead::(detail::)?([A-Za-z_]+).*/\2/' <<<"$shown" | sort -u)

diff <(echo "$marked") <(echo "$shown") || fail 'marked (<) and shown (>) differ'
[[ $(wc -l <<<"$shown") -gt 10 ]] || fail "that cannot be all: $shown"

# What is thrown has one type on both sides.
for type in bulkhead::Error bulkhead::detail::Refused; do
  nm -DC --defined-only "$library" | grep -F " V typeinfo for $type" >/dev/null || fail "$type is not shared"
done
readelf -d "$library" | grep -F 'soname: [libbulkhead.so.0.1]' >/dev/null || fail 'it has another soname'
