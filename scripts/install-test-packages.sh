#!/usr/bin/env bash
# Installs the Debian packages that the tests against real servers and clients need: only what is missing, quietly.
set -euo pipefail

packages=(
  openssl curl wget apache2-utils iproute2 procps mount
  python3 python3-django python3-flask gunicorn python3-waitress python3-aiohttp python3-uvicorn python3-websockets
  php-cli ruby ruby-webrick puma chromium openjdk-17-jdk-headless
  bsdutils zsh fish
)

missing=()
for package in "${packages[@]}"; do
  # dpkg-query also knows removed packages, whose configuration is left: only "installed" counts.
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Installing ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo --non-interactive); fi
quietly() {
  local log
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; rm -f "$log"; exit 1; }
  rm -f "$log"
}
quietly "${as_root[@]}" apt-get update -qq
quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
