#!/usr/bin/env bash
# Installs what Package Hunter needs on Debian or Ubuntu, step by step; every step is skipped where it is done.
# Usage: scripts/setup.sh [run|dev]   (run: what a scan needs; dev: also what the tests need)
set -euo pipefail
cd "$(dirname "$0")/.."
want=${1:-run}
say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf 'setup: %s\n       %s\n' "$1" "$2" >&2; exit 1; }
# Long-winded programs talk to a log; where one fails, its last lines are what a person needs.
log=$(mktemp -t package-hunter-setup.XXXXXX)
trap 'rm -f "$log"' EXIT
quietly() { "$@" >"$log" 2>&1 || { local code=$?; tail -n 30 "$log" >&2; return "$code"; }; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
  fail "this step needs root: $*" "Run make as root, or install sudo."; fi; }

apt_packages=(python3 python3-venv ca-certificates runc clang libbpf-dev libbpf1 libseccomp2 debootstrap
  erofs-utils nftables iproute2 wget curl)
dev_packages=(gcc libc6-dev sysdig postgresql openssh-client redis-tools mosquitto-clients ldap-utils smbclient mariadb-client chromium)
[ "$want" = dev ] && apt_packages+=("${dev_packages[@]}")

# npm's own configuration says which registry to use; any npm will do, also one that is no Debian package
command -v npm >/dev/null || apt_packages+=(npm)

missing=()
for package in "${apt_packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || fail "this is no Debian or Ubuntu: apt-get is missing." \
    "Install these by hand: ${missing[*]}"
  say "Installing system packages (a minute or two): ${missing[*]}"
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update ||
    fail "apt-get update failed." "Check the network and /etc/apt/sources.list, then run make again."
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get install failed." "Read the lines above; 'apt-get -f install' often mends it."
fi

if [ ! -x .venv/bin/python ]; then
  say "Creating the virtual environment .venv"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "python3 is older than 3.11." "Install Python 3.11 or newer and put it first on PATH."
  python3 -m venv .venv || fail "python3 -m venv failed." "Install the package python3-venv."
fi

requirements=(-r requirements/main.txt)
[ "$want" = dev ] && requirements+=(-r requirements/dev.txt)
stamp=.venv/installed-$want
sums=$(cat requirements/main.txt requirements/dev.txt pyproject.toml | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$sums" ]; then
  say "Installing Python packages, pinned by hash (half a minute)"
  quietly .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes "${requirements[@]}" ||
    fail "pip could not install the pinned packages." "Check that pip reaches its index: pip download six"
  quietly .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/build.txt &&
    quietly .venv/bin/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e . ||
    fail "the package itself could not be installed." "Read the lines above."
  printf '%s' "$sums" > "$stamp"
fi

as_root .venv/bin/python -m package_hunter.sensor.build ||
  fail "the eBPF probe could not be built." "Run '.venv/bin/package-hunter doctor' to see what is missing."
as_root .venv/bin/python -m package_hunter.sandbox.image ||
  fail "the sandbox image could not be built." "Read the lines above; run 'make setup' again once mended."
