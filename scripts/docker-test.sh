#!/usr/bin/env bash
# Tests the image and the examples with a real Docker engine: lint, build, what is in it, health, stop, and the fault between containers.
# Needs root and Debian where there is no engine with a registry (scripts/docker/engine.sh). The last line counts.
set -Eeuo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
root=$PWD
# shellcheck source=scripts/docker/engine.sh
. scripts/docker/engine.sh

passed=0
failed=0
at_end=false
log=$(mktemp)
scratch=$(mktemp -d)

check() { # what, command …
  local what=$1
  shift
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok   $what"
  else
    failed=$((failed + 1))
    echo "FAIL $what"
    tail -25 "$log"
  fi
}

# A command outside of check that fails ends the run, which counts as a failure.
trap 'echo "FAIL line $LINENO: $BASH_COMMAND"' ERR
finish() {
  trap - ERR
  $at_end || failed=$((failed + 1))
  engine_stop || :
  rm -rf "$log" "$scratch"
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] || exit 1
}
trap finish EXIT

in_image() { docker run --rm --network none --entrypoint sh lastbyte:test -c "$1"; }
inspected() { docker image inspect -f "$1" lastbyte:test; }

wait_health() { # container, status, seconds
  for _ in $(seq $(($3 * 5))); do
    [ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = "$2" ] && return
    sleep 0.2
  done
  docker inspect -f '{{json .State}}' "$1"
  docker logs "$1"
  return 1
}

test_image() {
  check 'the Dockerfile passes docker build --check' docker build --check .
  # From a copy, with npm settings (which may hold a token) where npm reads them.
  mkdir "$scratch/context"
  tar --exclude ./node_modules --exclude ./.git --exclude ./dist -cf - . | tar -xf - -C "$scratch/context"
  echo '//registry.example/:_authToken=secret' | tee "$scratch/context/.npmrc" >"$scratch/context/config/.npmrc"
  check 'the image is built' nice docker build --progress plain --network host -t lastbyte:test "$scratch/context"
  docker image inspect lastbyte:test >/dev/null
  local size base
  size=$(inspected '{{.Size}}')
  base=$(docker image inspect -f '{{.Size}}' "$NODE_IMAGE")
  echo "     $((size / 1000000)) MB, $(((size - base) / 1000)) kB of it on top of $NODE_IMAGE:"
  in_image 'du -sk node_modules dist config package.json | sed "s/^/     /"'
  check 'it has labels' test "$(inspected '{{index .Config.Labels "org.opencontainers.image.version"}}')" = "$(node -p 'require("./package.json").version')"
  check 'it checks its health by itself' test "$(inspected '{{index .Config.Healthcheck.Test 3}}')" = healthcheck
  check 'it does not run as root' in_image 'test "$(id -u)" != 0'
  check 'it cannot write its own code' in_image '! touch /app/x && ! touch /app/dist/x && ! touch /app/node_modules/x'
  check 'it holds no npm settings of the folder that it was built from' \
    docker run --rm --network none --user root --entrypoint sh lastbyte:test -c '! find / -xdev -name .npmrc | grep .'
  check 'it holds no development dependencies, sources or types' in_image 'test ! -e node_modules/typescript && test ! -e src && ! find dist -name "*.d.ts" | grep .'
}

test_container() {
  docker rm -f lastbyte-test >/dev/null 2>&1 || :
  check 'it runs read-only and without capabilities' docker run -d --name lastbyte-test --network none --read-only --tmpfs /tmp \
    --cap-drop ALL --security-opt no-new-privileges lastbyte:test
  check 'it becomes healthy' wait_health lastbyte-test healthy 40
  check 'it stops within 2 s, with exit code 0' stopped_in_time lastbyte-test
  docker rm -f lastbyte-test >/dev/null
  docker run -d --name lastbyte-test --network none lastbyte:test >/dev/null
  check 'another one becomes healthy' wait_health lastbyte-test healthy 40
  docker kill -s STOP lastbyte-test >/dev/null
  check 'a process that hangs becomes unhealthy' wait_health lastbyte-test unhealthy 60
  docker rm -f lastbyte-test >/dev/null
}

compose() { # example, arguments …
  local example=$1
  shift
  docker compose -f "$scratch/$example.json" "$@"
}

# The example as Compose reads it, but on free ports of the engine's choice, and built in the host's network (the private engine
# has no other that leads anywhere).
prepare() { # example
  check "$1: docker compose config" docker compose -f "examples/$1/docker-compose.yml" config --quiet
  docker compose -p "lastbyte-$1" -f "examples/$1/docker-compose.yml" --profile '*' config --format json | node -e '
    const project = JSON.parse(fs.readFileSync(0, "utf8"));
    for (const { build, ports = [] } of Object.values(project.services)) {
      if (build) build.network = "host";
      for (const port of ports) delete port.published;
    }
    console.log(JSON.stringify(project));' >"$scratch/$1.json"
}

up() { # example, arguments …
  local example=$1
  shift
  check "$example: docker compose up" nice docker compose -f "$scratch/$example.json" up -d --build --wait --wait-timeout 120 "$@"
}

url() { # example, service, its port
  echo "http://$(compose "$1" port "$2" "$3")"
}

down() { check "$1: docker compose down" compose "$1" --profile '*' down -v --timeout 5; }

page_says() { # url, text
  curl -fsS --max-time 20 "$1" | grep -F "$2"
}

# POST with a chunked body, read slowly, to be answered by so many bytes.
post_whole() { # url, bytes
  local got
  got=$(head -c 100000 /dev/zero | curl -sS --max-time 60 -T - -X POST --limit-rate 20M "$1" | wc -c)
  echo "$got of $2 bytes"
  [ "$got" -eq "$2" ]
}

always_whole() { # url, bytes
  local _try
  for _try in $(seq 10); do post_whole "$1" "$2" || return 1; done
}

# GET requests one after the other for as long as a file is there; every one has to succeed.
load() { # url
  local requests=0
  while [ -e "$scratch/load" ]; do
    requests=$((requests + 1))
    curl -fsS --max-time 30 -o /dev/null "$1" || { echo "request $requests failed"; return 1; }
  done
  echo "$requests requests"
  [ "$requests" -gt 5 ]
}

under_load() { # url, command …: no request fails while the command runs and for 5 s after it
  local url=$1 loader status=0
  shift
  touch "$scratch/load"
  load "$url" >"$scratch/load.log" 2>&1 &
  loader=$!
  sleep 1
  "$@" || status=$?
  sleep 5
  rm "$scratch/load"
  wait "$loader" || status=1
  cat "$scratch/load.log"
  return "$status"
}

restart_django() {
  local before
  before=$(docker inspect -f '{{.State.StartedAt}}' lastbyte-django-django-1)
  compose django restart -t 1 django
  [ "$(docker inspect -f '{{.State.StartedAt}}' lastbyte-django-django-1)" != "$before" ]
}

# runserver looks once a second, and says so when it reloads.
change_source() {
  touch "$root/examples/django/reports/views.py"
  local _try
  for _try in $(seq 50); do
    docker logs lastbyte-django-django-1 2>&1 | grep 'views.py changed, reloading' && return
    sleep 0.2
  done
  return 1
}

stopped_in_time() { # container: within 2 s, with exit code 0
  local started ms
  started=$(date +%s%N)
  docker stop -t 10 "$1"
  ms=$((($(date +%s%N) - started) / 1000000))
  echo "$ms ms"
  [ "$(docker inspect -f '{{.State.ExitCode}}' "$1")" = 0 ] && [ "$ms" -lt 2000 ]
}

# The ticket's client between two containers.
compare() { # example
  compose "$1" run --build --rm compare >"$scratch/compare" 2>&1 || :
  tail -3 "$scratch/compare" | sed 's/^/     /'
  check "$1: some answers are cut directly" grep -Eq '^direct: [0-9] of 10 whole' "$scratch/compare"
  check "$1: all are whole through lastbyte" grep -q '^through lastbyte: 10 of 10 whole' "$scratch/compare"
}

test_django() {
  local proxy early
  prepare django
  up django
  proxy=$(url django lastbyte 8080)
  check 'django: a page through lastbyte' page_says "$proxy/" 'Django behind lastbyte'
  check 'django: the inspector' page_says "$(url django lastbyte 8081)/" '<title>lastbyte'
  check 'django: the network between the containers has an MTU of 1500' test "$(compose django exec -T lastbyte cat /sys/class/net/eth0/mtu)" = 1500
  compare django
  head -c 20000000 /dev/zero >"$scratch/upload"
  check 'django: an upload that is spooled to the tmpfs is answered' \
    curl -fsS --max-time 60 -o /dev/null --data-binary "@$scratch/upload" "$proxy/report"
  check 'django: no request fails while its container is restarted' under_load "$proxy/" restart_django
  check 'django: no request fails while a source file changes and it reloads' under_load "$proxy/" change_source
  check 'django: lastbyte stops within 2 s behind all these exchanges, with exit code 0' stopped_in_time lastbyte-django-lastbyte-1
  down django
  check 'django: lastbyte starts before it' compose django up -d --no-deps --wait lastbyte
  curl -fsS --max-time 30 -o /dev/null "$(url django lastbyte 8080)/" &
  early=$!
  sleep 1
  compose django up -d django >/dev/null 2>&1
  check 'django: and answers what was asked before Django was there' wait "$early"
  down django
}

test_flask() {
  prepare flask
  up flask
  compare flask
  down flask
}

test_node_client() {
  prepare node-client
  up node-client
  compose node-client run --build --rm client http://django:8000/report >"$scratch/client" 2>/dev/null || :
  sed 's/^/     /' "$scratch/client"
  check 'node-client: some answers are cut directly' grep -Eq '/report: [0-9] of 10 whole' "$scratch/client"
  check 'node-client: all are whole through lastbyte' compose node-client run --build --rm client http://lastbyte:8080/report
  down node-client
}

test_vite() {
  local page bytes
  prepare vite
  up vite
  page=$(url vite vite 5173)
  check 'vite: the page' page_says "$page/" 'Vite → lastbyte → Django'
  bytes=$(curl -fsS --max-time 20 -X POST "$(url vite lastbyte 8080)/report" | wc -c)
  check 'vite: the answer through Vite and lastbyte is whole, ten of ten' always_whole "$page/report" "$bytes"
  down vite
}

engine_start
test_image
test_container
test_django
test_flask
test_node_client
test_vite
docker image rm -f lastbyte:test >/dev/null
at_end=true
