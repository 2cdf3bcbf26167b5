#!/usr/bin/env bash
# Doxygen finds each public name documented. Without Doxygen the test is skipped.
# reference.sh SOURCE_FOLDER
set -euo pipefail
command -v doxygen >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$1"
BULKHEAD_DOCS_OUTPUT=$work doxygen docs/Doxyfile
for page in index classbulkhead_1_1Pool structbulkhead_1_1CrashReport namespacebulkhead; do
  [[ -s $work/html/$page.html ]] || { echo "FAILED: there is no $page.html"; exit 1; }
done
