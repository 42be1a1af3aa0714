#!/usr/bin/env bash
# Fetches Next, with its React, from the npm registry into node_modules/.cache, and prints the folder that they are in. It is not
# a devDependency, since it takes 340 MB.
set -euo pipefail
cd "$(dirname "$0")/.."

packages='next@16.4.6 react@19.3.1 react-dom@19.3.1'
folder=node_modules/.cache/lastbyte-next
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$packages" ]; then
  rm -rf "$folder"
  mkdir -p "$folder"
  echo '{ "private": true }' >"$folder/package.json"
  # shellcheck disable=SC2086
  npm install --prefix "$folder" --save-exact --ignore-scripts --no-audit --no-fund --silent $packages >&2
  echo "$packages" >"$folder/installed"
fi
printf '%s\n' "$PWD/$folder"
