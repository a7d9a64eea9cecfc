#!/usr/bin/env bash
# Renews requirements/*.txt: exact versions with hashes and no addresses. Needs uv on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() { uv pip compile --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 -q "$@"; }
lock pyproject.toml -o requirements/main.txt
lock requirements/build.in -c requirements/main.txt -o requirements/build.txt
lock requirements/dev.in -c requirements/main.txt -o requirements/dev.txt
! grep -nE 'https?://' requirements/*.txt
