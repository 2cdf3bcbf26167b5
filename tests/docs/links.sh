#!/usr/bin/env bash
# What a page links to within the repository is there.
# links.sh SOURCE_FOLDER
set -euo pipefail
cd "$1"
failed=0
while IFS=: read -r page line link; do
  target=${link#*](} target=${target%)}
  [[ $target == *://* || $target == '#'* ]] && continue
  [[ -e $(dirname "$page")/${target%%#*} ]] && continue
  echo "$page:$line: the link leads nowhere: $target"
  failed=1
done < <(find . -name '*.md' -not -path './build/*' -not -path './.git/*' -print0 |
  xargs -0 grep -noHE '\]\([^) ]+\)')
exit "$failed"
