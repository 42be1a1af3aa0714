#!/usr/bin/env bash
# Writes the bill of materials of what users get (CycloneDX) into the file that is named, or lastbyte.cdx.json.
# `npm sbom --omit dev` leaves out every package that a development dependency wants too (npm 11: the selector
# `:not(.dev)` of lib/commands/sbom.js), yaml among them: npm is shown the package without those.
set -euo pipefail
output=$(realpath "${1:-lastbyte.cdx.json}")
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The bill names the package after its folder.
mkdir "$scratch/lastbyte"
cp package.json package-lock.json "$scratch/lastbyte"
cd "$scratch/lastbyte"
npm ci --omit=dev --ignore-scripts --no-audit --no-fund --silent
npm pkg delete devDependencies --silent
npm sbom --silent --sbom-format cyclonedx --sbom-type application >"$output"
