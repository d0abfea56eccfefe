# shellcheck shell=bash
# Sourced after env.sh: packages on Debian and Ubuntu, from the mirror that the machine already uses.
# shellcheck disable=SC2154 # state: env.sh
mkdir -p "$state"
did=()
refreshed=

say() { printf '%s: %s\n' "$(basename "$0")" "$*"; }
fail() { say "$*" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo --preserve-env=DEBIAN_FRONTEND "$@"; fi; }
# shellcheck source=/dev/null
os_id() { . /etc/os-release && echo "${ID:-}"; }

apt_install() { # apt_install [OPTION…] PACKAGE…
  export DEBIAN_FRONTEND=noninteractive
  say "installing $*"
  if [ -z "$refreshed" ]; then
    as_root apt-get update -q >"$state/apt.log" 2>&1 || { tail -n 20 "$state/apt.log"; fail 'apt-get update failed'; }
    refreshed=yes
  fi
  as_root apt-get install -y -q --no-install-recommends "$@" >>"$state/apt.log" 2>&1 ||
    { tail -n 20 "$state/apt.log"; fail "apt-get install $* failed"; }
  did+=("installed $*")
}

mirror() {
  # shellcheck disable=SC2016 # apt expands it
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v -e security | head -n 1
}

# Debian 12 has an old engine, no buildx and an old Go: these come from testing, which is pinned below everything else.
allow_testing() {
  [ "$(os_id)" = debian ] || return 0
  as_root tee /etc/apt/sources.list.d/stack-action.sources >/dev/null <<EOF
Types: deb
URIs: $(mirror)
Suites: testing
Components: main
Check-Valid-Until: no
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
  as_root tee /etc/apt/preferences.d/stack-action >/dev/null <<EOF
Package: *
Pin: release a=testing
Pin-Priority: 50

Package: docker.io docker-cli docker-buildx containerd crane golang-go golang-src golang-1.*
Pin: release a=testing
Pin-Priority: 600
EOF
  refreshed=
}
