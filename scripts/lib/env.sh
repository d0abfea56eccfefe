# shellcheck shell=bash
# Sourced by the scripts: where things are, and Node 24 first on PATH. Changes nothing on the machine.
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state=${STACK_ACTION_STATE:-${XDG_CACHE_HOME:-$HOME/.cache}/stack-action}
export REGISTRY=${REGISTRY:-127.0.0.1:5000}
# One line for each request. The name does not begin with REGISTRY_, which the registry takes for its configuration.
export STACK_REGISTRY_LOG=$state/registry.log
export STACK_DOCKERD_LOG=$state/dockerd.log
# The lock file names every package by its hash, so what npm has is not asked for again: a slow registry cost minutes.
# As a variable it reaches the installation that the package `node` starts itself.
export npm_config_prefer_offline=true

is_node_24() {
  local version
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 24 ]
}

for node in "$(command -v node || true)" "$repo/node_modules/node/bin/node" "$repo/.tools/node24/node_modules/node/bin/node"; do
  if [ -n "$node" ] && is_node_24 "$node"; then
    PATH=$(dirname "$node"):$PATH
    break
  fi
done
export PATH=$repo/.tools/bin:$PATH
