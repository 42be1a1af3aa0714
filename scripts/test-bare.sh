#!/usr/bin/env bash
# Runs tests as on a fresh machine: the PATH leads to Node, npm, git and the programs of Debian's essential packages and nothing
# else, CI is not set, and every test that needs more has to skip in words. Arguments are vitest's.
set -euo pipefail
cd "$(dirname "$0")/.."

programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT

# Without bsdutils: its `script` makes terminals, which not every machine has.
essential=$(dpkg-query --show --showformat '${Essential} ${Package}\n' | sed -n 's/^yes //p' | grep -vx bsdutils)
# shellcheck disable=SC2086
for file in $(dpkg --listfiles $essential git | grep -E '^(/usr)?/s?bin/[^/]+$') "$(command -v node)" "$(command -v npm)" "$(command -v npx)"; do
  ln -sf "$file" "$programs/${file##*/}"
done

env --unset CI --unset LASTBYTE_NODES PATH="$programs" node node_modules/vitest/vitest.mjs run "$@"
